"""Files and folders."""

from __future__ import annotations

import posixpath
from secrets import token_hex

from plstui.sandbox.machines.shell.interpreter import Shell, command
from plstui.sandbox.machines.shell.streams import Streams


@command("cat")
async def cat(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Print files, or standard input."""
    status = 0
    for name in [argument for argument in arguments if argument == "-" or not argument.startswith("-")] or ["-"]:
        content = await streams.read() if name == "-" else shell.read_file(name)
        if content is None:
            folder = shell.guest.disk.is_folder(shell.path(name))
            streams.err(f"cat: {name}: {'Is a directory' if folder else 'No such file or directory'}\n")
            status = 1
        else:
            streams.out(content)
    return status


@command("mkdir")
async def mkdir(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Make folders."""
    for name in [argument for argument in arguments if not argument.startswith("-")]:
        path = shell.path(name)
        above = posixpath.dirname(path.rstrip("/")) or "/"
        if "-p" not in arguments and not shell.guest.disk.is_folder(above):
            streams.err(f"mkdir: cannot create directory '{name}': No such file or directory\n")
            return 1
        shell.guest.disk.make_folder(path)
    return 0


@command("mktemp")
async def mktemp(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """A new file, or with `-d` a new folder, under `/tmp`."""
    path = f"/tmp/tmp.{token_hex(5)}"
    if "-d" in arguments:
        shell.guest.disk.make_folder(path)
    else:
        shell.guest.disk.write(path, "")
    streams.out(f"{path}\n")
    return 0


@command("touch")
async def touch(shell: Shell, arguments: list[str], _streams: Streams) -> int:
    """Make files that are not there."""
    for name in arguments:
        if not name.startswith("-") and not shell.guest.disk.exists(shell.path(name)):
            shell.guest.disk.write(shell.path(name), "")
    return 0


@command("rm", "unlink")
async def rm(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Remove files and folders."""
    options = "".join(argument[1:] for argument in arguments if argument.startswith("-"))
    status = 0
    for name in [argument for argument in arguments if not argument.startswith("-")]:
        path = shell.path(name)
        if shell.guest.disk.is_folder(path) and "r" not in options and "R" not in options:
            streams.err(f"rm: cannot remove '{name}': Is a directory\n")
            status = 1
        elif not shell.guest.disk.remove(path) and "f" not in options:
            streams.err(f"rm: cannot remove '{name}': No such file or directory\n")
            status = 1
    return status


@command("cp")
async def cp(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Copy a file."""
    return _copied(shell, arguments, streams, "cp")


@command("ln")
async def ln(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Link a file; here a copy, as files change only through their first name."""
    return _copied(shell, arguments, streams, "ln")


@command("mv")
async def mv(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Move a file."""
    status = _copied(shell, arguments, streams, "mv")
    if not status:
        shell.guest.disk.remove(shell.path(next(name for name in arguments if not name.startswith("-"))))
    return status


def _copied(shell: Shell, arguments: list[str], streams: Streams, who: str) -> int:
    names = [argument for argument in arguments if not argument.startswith("-")]
    disk = shell.guest.disk
    file = disk.file(shell.path(names[0])) if len(names) == 2 else None
    if file is None:
        streams.err(f"{who}: cannot stat '{names[0] if names else ''}': No such file or directory\n")
        return 1
    target = shell.path(names[1])
    if disk.is_folder(target):
        target = f"{target.rstrip('/')}/{posixpath.basename(names[0])}"
    shell.budget.characters(len(file.content))
    disk.write(target, file.content, mode=file.mode, owner=file.owner)
    return 0


@command("ls")
async def ls(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """The names in folders."""
    disk, status = shell.guest.disk, 0
    for name in [argument for argument in arguments if not argument.startswith("-")] or ["."]:
        path = posixpath.normpath(shell.path(name))
        if disk.is_folder(path):
            streams.out("".join(f"{entry}\n" for entry in disk.names(path)))
        elif disk.exists(path):
            streams.out(f"{name}\n")
        else:
            streams.err(f"ls: cannot access '{name}': No such file or directory\n")
            status = 2
    return status


@command("cd")
async def cd(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Change the folder."""
    path = posixpath.normpath(shell.path(arguments[0])) if arguments else shell.variables["HOME"]
    if not shell.guest.disk.is_folder(path):
        streams.err(f"sh: cd: can't cd to {arguments[0]}\n")
        return 2
    shell.folder = shell.variables["PWD"] = path
    return 0


@command("pwd")
async def pwd(shell: Shell, _arguments: list[str], streams: Streams) -> int:
    """The folder."""
    streams.out(f"{shell.folder}\n")
    return 0


@command("tee")
async def tee(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Write standard input to files and on."""
    text = await streams.read()
    for name in [argument for argument in arguments if not argument.startswith("-")]:
        path = shell.path(name)
        before = shell.guest.disk.read(path) or "" if "-a" in arguments else ""
        shell.budget.characters(len(before) + len(text))
        shell.guest.disk.write(path, before + text)
    streams.out(text)
    return 0
