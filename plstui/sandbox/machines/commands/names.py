"""Names and addresses: `getent`, `dig`, `nslookup`, `ip`, `nc`, `ss`."""

from __future__ import annotations

from plstui.sandbox.machines.network import CONNECT_TIMEOUT, ConnectError, UnknownNameError
from plstui.sandbox.machines.shell.interpreter import NOT_FOUND, Shell, command
from plstui.sandbox.machines.shell.streams import Streams

RESOLVER = "168.63.129.16"
"""Azure's resolver, as every machine is told by DHCP."""


def _resolved(shell: Shell, name: str) -> list[str]:
    try:
        return list(shell.guest.network.resolve(name))
    except UnknownNameError:
        return []


@command("getent")
async def getent(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """`getent hosts NAME`."""
    if arguments[:1] not in (["hosts"], ["ahosts"], ["ahostsv4"]):
        streams.err("getent: only hosts is in the sandbox\n")
        return NOT_FOUND
    status = 0
    for name in arguments[1:]:
        await shell.spend()
        addresses = _resolved(shell, name)
        streams.out("".join(f"{address:<15} {name}\n" for address in addresses))
        status = status if addresses else 2
    return status


@command("dig")
async def dig(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Look a name up; `+short` prints the addresses alone."""
    names = [word for word in arguments if not word.startswith(("+", "@", "-")) and word.upper() not in ("A", "IN")]
    name = names[0] if names else ""
    addresses = _resolved(shell, name)
    if "+short" in arguments:
        streams.out("".join(f"{address}\n" for address in addresses))
        return 0
    status = "NOERROR" if addresses else "NXDOMAIN"
    streams.out(f";; ->>HEADER<<- opcode: QUERY, status: {status}\n;; QUESTION SECTION:\n;{name}.\tIN\tA\n")
    streams.out("".join(f"{name}.\t10\tIN\tA\t{address}\n" for address in addresses))
    streams.out(f";; SERVER: {RESOLVER}#53\n")
    return 0


@command("nslookup", "host")
async def nslookup(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Look a name up."""
    names = [word for word in arguments if not word.startswith("-")]
    if not names:
        streams.err("nslookup: a name is needed\n")
        return 1
    streams.out(f"Server:\t\t{RESOLVER}\nAddress:\t{RESOLVER}#53\n\n")
    addresses = _resolved(shell, names[0])
    if not addresses:
        streams.out(f"** server can't find {names[0]}: NXDOMAIN\n")
        return 1
    streams.out("Non-authoritative answer:\n")
    streams.out("".join(f"Name:\t{names[0]}\nAddress: {address}\n" for address in addresses))
    return 0


@command("ip", "ifconfig")
async def ip(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """`ip addr`: the interfaces and their addresses."""
    words = [word for word in arguments if not word.startswith("-")]
    if not words or not "address".startswith(words[0]):
        streams.err(f"ip {' '.join(words)}: not in the sandbox\n")
        return NOT_FOUND
    streams.out("1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 state UNKNOWN\n    inet 127.0.0.1/8 scope host lo\n")
    for index, interface in enumerate(shell.guest.network.interfaces()):
        streams.out(
            f"{index + 2}: eth{index}: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 state UP\n"
            f"    link/ether {interface.mac} brd ff:ff:ff:ff:ff:ff\n"
            f"    inet {interface.address}/{interface.prefix_length} scope global eth{index}\n"
        )
    return 0


@command("nc", "ncat", "netcat")
async def nc(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """`nc -z HOST PORT`: whether a port is open."""
    timeout = CONNECT_TIMEOUT
    words: list[str] = []
    queue = list(arguments)
    while queue:
        argument = queue.pop(0)
        if argument == "-w" and queue and queue[0].isdigit():
            timeout = float(queue.pop(0))
        elif not argument.startswith("-"):
            words.append(argument)
    if len(words) != 2 or not words[1].isdigit() or not any("z" in word for word in arguments if word[0] == "-"):
        streams.err("nc: only -z HOST PORT is in the sandbox\n")
        return NOT_FOUND
    try:
        connection = await shell.guest.network.connect(words[0], int(words[1]), timeout)
    except ConnectError as error:
        streams.err(f"nc: connect to {words[0]} port {words[1]} (tcp) failed: {error}\n")
        return 1
    connection.writer.close()
    streams.err(f"Connection to {words[0]} {words[1]} port [tcp/*] succeeded!\n")
    return 0


@command("ss", "netstat")
async def ss(shell: Shell, _arguments: list[str], streams: Streams) -> int:
    """The ports that something listens on."""
    streams.out("State  Recv-Q Send-Q Local Address:Port\n")
    streams.out("".join(f"LISTEN 0      511    0.0.0.0:{port}\n" for port in [22, *shell.guest.services.ports()]))
    return 0
