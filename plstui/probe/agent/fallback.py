"""Fetches the page in a machine that has no curl. Runs there and not here: the standard library alone, from Python 3.6.

Prints the lines that `probe.sh` describes.
"""

import re
import socket
import sys
import time
from threading import Thread

LONGEST = 65536
SAFE = re.compile(r"[^A-Za-z0-9 ._:|-]")


def attempt(address: str, port: int, connect: float, total: float) -> str:
    """One connection, and its outcome."""
    started = time.monotonic()
    try:
        found = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):
        return "d"
    sock = socket.socket(found[0], found[1], found[2])
    times = [0, 0]
    try:
        sock.settimeout(connect)
        sock.connect(found[4])
        times[0] = micros(started)
        host = "[" + address + "]" if ":" in address else address
        request = "GET / HTTP/1.1\r\nHost: %s:%d\r\nUser-Agent: plstui\r\nConnection: close\r\n\r\n" % (host, port)
        sock.sendall(request.encode())
        return judged(received(sock, times, started, started + total), times)
    except socket.timeout:
        return "t,%d,%d" % tuple(times)
    except ConnectionRefusedError:
        return "r"
    except OSError as error:
        if times[0]:
            return "z,%d,%d" % tuple(times)
        return "u" if error.errno in (101, 113) else "e%d" % (error.errno or 0)
    finally:
        sock.close()


def micros(since: float) -> int:
    """Microseconds since a moment."""
    return int((time.monotonic() - since) * 1000000)


def received(sock: socket.socket, times: "list[int]", started: float, until: float) -> bytes:
    """What comes until the end, or somewhat more than the longest."""
    data = b""
    while len(data) <= LONGEST:
        left = until - time.monotonic()
        if left <= 0:
            raise socket.timeout
        sock.settimeout(left)
        piece = sock.recv(16384)
        if not piece:
            break
        times[1] = times[1] or micros(started)
        data += piece
    return data


def judged(data: bytes, times: "list[int]") -> str:
    """What an answer is."""
    when = ",%d,%d" % tuple(times)
    if not data:
        return "z" + when
    if len(data) > LONGEST:
        return "b"
    head, gap, body = data.partition(b"\r\n\r\n")
    line = re.match(rb"HTTP/1\.[01] (\d{3})", head)
    if data[:1] in b"\x14\x15\x16" and data[1:2] == b"\x03":
        return "l" + when
    if not line:
        return "n" + when
    status = line.group(1).decode()
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    if not gap or (length and len(body) < int(length.group(1))):
        return "z" + when
    if status == "400" and re.search(rb"(?i)HTTPS port|HTTPS server|SSL-enabled", body):
        return "l" + when
    if status != "200":
        return "s" + when + "," + status
    if re.search(rb"(?i)\r\ntransfer-encoding: *chunked", head):
        body = dechunked(body)
    text = SAFE.sub("?", body[:200].decode("latin-1").replace("\n", "|"))[:70]
    page = re.match(r"Host: ([A-Za-z0-9._-]+)\|*$", text)
    return "k" + when + "," + page.group(1) if page else "p" + when + "," + text[:40]


def dechunked(body: bytes) -> bytes:
    """The content of a chunked body, as far as it is in order."""
    content = b""
    while True:
        size, _, body = body.partition(b"\r\n")
        if not re.match(rb"[0-9A-Fa-f]{1,8}(;|$)", size) or int(size.partition(b";")[0], 16) == 0:
            return content
        length = int(size.partition(b";")[0], 16)
        content, body = content + body[:length], body[length + 2 :]


def at_once(threads: "list[Thread]") -> None:
    """Run threads to their ends."""
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main(nonce: str, connect: str, total: str, count: str, room: str, targets: str) -> None:
    """All targets at once. Once an attempt at one came too late, the others at it are made at the same time."""
    outcomes = {target: [""] * int(count) for target in targets.split()}

    def fill(target: str, number: int) -> None:
        _, address, port = target.split(",")
        outcomes[target][number] = attempt(address, int(port), float(connect), float(total))

    def ask(target: str) -> None:
        for number in range(int(count)):
            fill(target, number)
            if outcomes[target][number].startswith("t"):
                at_once([Thread(target=fill, args=(target, other)) for other in range(number + 1, int(count))])
                return

    at_once([Thread(target=ask, args=(target,)) for target in outcomes])
    for target, found in outcomes.items():
        number, address, _ = target.split(",")
        try:
            resolved = socket.gethostbyname(address)
        except (OSError, UnicodeError):
            resolved = ""
        told = ""
        for outcome in found:
            if len(told) < int(room):
                told += outcome + ";"
        sys.stdout.write('{"n":"%s","t":%s,"q":"%s","a":"%s"}\n' % (nonce, number, resolved, told))
    sys.stdout.write('{"n":"%s","end":1}\n' % nonce)


if __name__ == "__main__":
    main(*sys.argv[1:])
