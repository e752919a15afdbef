"""Who and what the machine is, its packages and services."""

from __future__ import annotations

import asyncio
import re
import shlex

from plstui.sandbox.machines import packages
from plstui.sandbox.machines.commands.control import seconds
from plstui.sandbox.machines.nginx import sites
from plstui.sandbox.machines.shell.interpreter import NOT_FOUND, Shell, command
from plstui.sandbox.machines.shell.streams import Streams

TIMED_OUT = 124
"""The exit code of `timeout` when the time was up."""


@command("hostname")
async def hostname(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """The machine's name; `-I` its addresses."""
    if "-I" in arguments or "-i" in arguments:
        addresses = " ".join(interface.address for interface in shell.guest.network.interfaces())
        streams.out(f"{addresses} \n" if "-I" in arguments else f"{addresses}\n")
    else:
        streams.out(f"{shell.guest.computer_name}\n")
    return 0


@command("uname")
async def uname(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """The kernel."""
    image, name = shell.guest.image, shell.guest.computer_name
    values = {
        "s": "Linux",
        "n": name,
        "r": image.kernel,
        "v": f"#1-{image.id.capitalize()} SMP",
        "m": "x86_64",
        "o": "GNU/Linux",
    }
    options = "".join(argument.lstrip("-") for argument in arguments) or "s"
    wanted = "snrvmo" if "a" in options else [letter for letter in values if letter in options]
    streams.out(" ".join(values[letter] for letter in wanted) + "\n")
    return 0


@command("whoami")
async def whoami(shell: Shell, _arguments: list[str], streams: Streams) -> int:
    """The user."""
    streams.out(f"{shell.user}\n")
    return 0


@command("id")
async def id_(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """The user with number and groups."""
    number = 0 if shell.user == "root" else 1000
    if "-u" in arguments:
        streams.out(f"{number}\n")
    elif "-un" in arguments:
        streams.out(f"{shell.user}\n")
    else:
        groups = "0(root)" if not number else f"1000({shell.user}),4(adm),27(sudo)"
        streams.out(f"uid={number}({shell.user}) gid={number}({shell.user}) groups={groups}\n")
    return 0


@command("date")
async def date(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """The time on the sandbox's clock, in UTC."""
    pattern = next((argument[1:] for argument in arguments if argument.startswith("+")), "%a %b %e %H:%M:%S UTC %Y")
    now = shell.guest.clock.now()
    streams.out(now.strftime(pattern.replace("%s", str(int(now.timestamp()))).replace("%N", "000000000")) + "\n")
    return 0


@command("nproc")
async def nproc(_shell: Shell, _arguments: list[str], streams: Streams) -> int:
    """One processor."""
    streams.out("1\n")
    return 0


@command("env", "nohup", "exec", "time")
async def env(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Run a command, perhaps with assignments before it."""
    return await _run_with(shell, arguments, streams)


@command("sudo")
async def as_root(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Run a command as root."""
    other = shell.child()
    other.user = "root"
    return await _run_with(other, [a for a in arguments if a not in ("-n", "-E", "-H", "-i", "-S")], streams)


async def _run_with(shell: Shell, arguments: list[str], streams: Streams) -> int:
    while arguments and re.match(r"[A-Za-z_]\w*=", arguments[0]):
        name, _, value = arguments.pop(0).partition("=")
        shell.variables[name] = value
    return await shell.execute(arguments, streams) if arguments else 0


@command("timeout")
async def timeout(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Run a command for so long at most, on the sandbox's clock."""
    while arguments and arguments[0].startswith("-"):
        arguments.pop(0)
    limit = seconds(arguments[0]) if arguments else None
    if limit is None or not arguments[1:]:
        streams.err("timeout: a duration and a command are needed\n")
        return 125
    work = asyncio.ensure_future(shell.execute(arguments[1:], streams))
    clock = asyncio.ensure_future(shell.guest.clock.sleep(limit))
    try:
        # No limit at all is what 0 means.
        await asyncio.wait([work, clock] if limit else [work], return_when=asyncio.FIRST_COMPLETED)
        return work.result() if work.done() else TIMED_OUT
    finally:
        work.cancel()
        clock.cancel()
        await asyncio.gather(work, clock, return_exceptions=True)


@command("sh", "bash", "dash")
async def sh(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Another shell, for `-c TEXT`, a file, or what comes in."""
    options = [argument for argument in arguments if argument.startswith("-")]
    rest = [argument for argument in arguments if not argument.startswith("-")]
    if any("c" in option for option in options):
        text, parameters = (rest[0] if rest else ""), rest[2:]
    elif rest:
        content = shell.read_file(rest[0])
        if content is None:
            streams.err(f"sh: 0: cannot open {rest[0]}: No such file\n")
            return NOT_FOUND
        text, parameters = content, rest[1:]
    else:
        text, parameters = await streams.read(), []
    return await shell.child(parameters).run(text, streams)


@command("command", "which", "type")
async def command_(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Where a command is; `command NAME` runs it."""
    names = [argument for argument in arguments if not argument.startswith("-")]
    if arguments and arguments[0] not in ("-v", "-V") and arguments[0] == (names or [""])[0]:
        found = [name for name in names if shell.knows(name)]
        streams.out("".join(f"/usr/bin/{name}\n" for name in found))
        return 0 if len(found) == len(names) else 1
    status = 0
    for name in names:
        if shell.knows(name):
            streams.out(f"/usr/{'sbin' if name == 'nginx' else 'bin'}/{name}\n")
        else:
            status = 1
    return status


@command("apt-get", "apt")
async def apt_get(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Fetch and install packages, if the machine reaches the archive."""
    guest = shell.guest
    words, skip = [], False
    for argument in arguments:
        if not skip and not argument.startswith("-"):
            words.append(argument)
        skip = argument == "-o"
    verb, names = (words[0] if words else ""), words[1:]
    if shell.user != "root" and verb in ("update", "install", "remove", "purge", "upgrade"):
        streams.err("E: Could not open lock file /var/lib/dpkg/lock-frontend - open (13: Permission denied)\n")
        return 100
    reachable = guest.network.reaches_internet()
    if verb in ("update", "upgrade"):
        if reachable:
            guest.disk.write("/var/lib/apt/lists/lock", "")
        else:
            # apt counts a mirror that does not answer as a warning.
            streams.err("W: Failed to fetch the package lists: connection timed out\n")
        return 0
    if verb in ("remove", "purge"):
        return await _removed(shell, names)
    if verb != "install":
        streams.err(f"apt-get {verb}: not in the sandbox\n")
        return NOT_FOUND
    fetched = "/var/cache/apt/archives/"
    missing = [name for name in names if name not in guest.packages and not guest.disk.exists(f"{fetched}{name}.deb")]
    if missing and not (reachable and "--no-download" not in arguments):
        listed = guest.disk.exists("/var/lib/apt/lists/lock")
        streams.err(f"E: {'Failed to fetch' if listed else 'Unable to locate package'} {missing[0]}\n")
        return 100
    for name in missing:
        guest.disk.write(f"{fetched}{name}.deb", "")
    if "--download-only" not in arguments and "-d" not in arguments:
        await packages.install(guest, names)
    return 0


async def _removed(shell: Shell, names: list[str]) -> int:
    for name in names:
        shell.guest.packages.discard(name)
        if shell.guest.services.unit(name):
            await shell.guest.services.stop(name)
            shell.guest.services.disable(name)
            shell.guest.disk.remove(f"/usr/lib/systemd/system/{name}.service")
            shell.guest.disk.remove(f"/usr/sbin/{name}")
    return 0


@command("dpkg", "dpkg-query")
async def dpkg(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Whether a package is installed."""
    names = [argument for argument in arguments if not argument.startswith("-")]
    for name in names:
        if name not in shell.guest.packages:
            streams.err(f"dpkg-query: no packages found matching {name}\n")
            return 1
        streams.out(f"ii  {name}\n")
    return 0


@command("cloud-init")
async def cloud_init(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """The status of the first boot; `--wait` waits for its end."""
    guest = shell.guest
    if arguments[:1] != ["status"]:
        streams.err(f"cloud-init {shlex.join(arguments)}: not in the sandbox\n")
        return NOT_FOUND
    if "--wait" in arguments or "-w" in arguments:
        await guest.cloud_init_over.wait()
    streams.out(f"status: {guest.cloud_init_status}\n")
    if "--long" in arguments or "-l" in arguments:
        streams.out("boot_status_code: enabled-by-generator\ndetail: DataSourceAzure\n")
    return 1 if guest.cloud_init_status == "error" else 0


@command("nginx")
async def nginx(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """`-t` checks the configuration, `-s reload` reads it again."""
    try:
        sites(shell.guest)
    except ValueError as error:
        streams.err(f"nginx: [emerg] {error}\nnginx: configuration file /etc/nginx/nginx.conf test failed\n")
        return 1
    if "-t" in arguments:
        streams.err("nginx: configuration file /etc/nginx/nginx.conf test is successful\n")
        return 0
    if arguments[:1] == ["-v"]:
        streams.err("nginx version: nginx/1.24.0\n")
        return 0
    return 0 if await shell.guest.services.restart("nginx") else 1
