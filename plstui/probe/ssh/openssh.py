"""Ask OpenSSH itself what its configuration says of a host: `ssh -G`."""

from __future__ import annotations

import os
import pwd
import re
import selectors
import shlex
import shutil
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from plstui.domain.text import clean
from plstui.probe.route import RouteError
from plstui.probe.ssh.options import Options, expand_path, file_tokens, path_of

ANSWER_TIMEOUT = 10.0
"""Seconds for the answer. It takes hundredths, but the configuration may run commands and ask name servers."""

MOST_ANSWER = 256 * 1024
"""Bytes of the answer; it has some 8,000."""

_PATHS = re.compile(r" (?=[/~])")
"""Where the next path begins: OpenSSH writes several paths with blanks in between, and quotes none."""


class Asking:
    """One lookup's processes, of which one runs at a time, so that they can be ended from another thread."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def stop(self) -> None:
        """End what runs, and let nothing start any more."""
        self._stopped = True
        if process := self._process:
            _kill(process)

    def run(self, command: list[str]) -> tuple[int, bytes, bytes]:
        """Exit code, standard output and error. Raises `OSError`, `TimeoutError`, and `OverflowError` for too much."""
        # In a session of its own it has no terminal to ask or write on, and what it starts ends with it.
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as process:
            self._process = process
            try:
                if self._stopped:
                    raise TimeoutError
                return _outcome(process)
            except BaseException:
                _kill(process)
                raise
            finally:
                self._process = None


def _outcome(process: subprocess.Popen[bytes]) -> tuple[int, bytes, bytes]:
    assert process.stdout is not None
    assert process.stderr is not None
    until = monotonic() + ANSWER_TIMEOUT
    out, err = process.stdout.fileno(), process.stderr.fileno()
    taken = {out: b"", err: b""}
    with selectors.DefaultSelector() as selector:
        for stream in taken:
            selector.register(stream, selectors.EVENT_READ)
        # The end of its standard output is its own; a command that it has left behind may hold on to the other.
        while out in selector.get_map():
            for key, _ in selector.select(max(0.0, until - monotonic())):
                piece = os.read(key.fd, 65536)
                taken[key.fd] += piece
                if not piece:
                    selector.unregister(key.fd)
                if len(taken[key.fd]) > MOST_ANSWER:
                    raise OverflowError
            if monotonic() >= until:
                raise TimeoutError
    try:
        code = process.wait(max(0.1, until - monotonic()))
    except subprocess.TimeoutExpired:
        raise TimeoutError from None
    os.set_blocking(err, False)
    with suppress(BlockingIOError):
        taken[err] += os.read(err, 65536)
    return code, taken[out], taken[err]


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class OpenSsh:
    """An OpenSSH client that can be asked."""

    program: str
    config: Path
    """The person's configuration file."""
    options: tuple[str, ...]
    """Those that name the files to read; empty for the person's and the system's, as OpenSSH finds them."""
    defaults: dict[str, list[str]]
    """What it says where no configuration says anything."""
    asking: Asking

    @classmethod
    def find(cls, config: Path, *, named: bool, asking: Asking) -> OpenSsh | None:
        """The client on this computer; None where there is none that can be asked. Raises `RouteError`.

        `named` tells that `config` is to be read, and nothing else.
        """
        program = shutil.which("ssh")
        try:
            # OpenSSH runs for nobody else, and takes the home from here.
            home = pwd.getpwuid(os.getuid()).pw_dir
        except KeyError:
            return None
        if program is None:
            return None
        files: tuple[str, ...] = ()
        if named or Path(home) != path_of("~"):
            files = ("-F", str(config.absolute()) if config.exists() else os.devnull)
        try:
            code, answer, _ = asking.run([program, "-G", "-F", os.devnull, "--", "localhost"])
        except OSError:
            # TimeoutError, too: it could not say what it is.
            return None
        except OverflowError:
            return None
        defaults = _values(answer)
        # Other programs of this name, and OpenSSH before 6.8, have no such option.
        if code or not {"hostname", "port", "user"} <= defaults.keys():
            return None
        return cls(program, config, files, defaults, asking)

    def lookup(self, name: str, user: str, port: int | None) -> Options:
        """What the configuration says of a host. Raises `RouteError`."""
        as_user = ["-l", user] if user else []
        at_port = ["-p", str(port)] if port else []
        command = [self.program, "-G", *self.options, *as_user, *at_port, "--", name]
        shown = clean(shlex.join(["ssh", *command[1:]]), 200)
        try:
            code, answer, said = self.asking.run(command)
        except TimeoutError:
            raise RouteError(
                f"OpenSSH did not say within {ANSWER_TIMEOUT:g} s what {self.config} means for {name}; "
                f"a command or a name server in it may hang, as “{shown}” shows."
            ) from None
        except (OSError, OverflowError) as error:
            why = error.strerror if isinstance(error, OSError) else "it says too much"
            raise RouteError(f"OpenSSH cannot be asked about {name}: {why}. To look, run “{shown}”.") from None
        if code:
            words = clean("; ".join(said.decode(errors="replace").splitlines()), 300)
            raise RouteError(
                f"OpenSSH refuses the configuration {self.config} for {name}: "
                f"{words.removesuffix('.') or f'it ends with exit code {code}'}. Mend it until “{shown}” takes it."
            )
        return self._options(_values(answer), name)

    def _options(self, values: dict[str, list[str]], name: str) -> Options:
        host, user, port = values["hostname"][0], values["user"][0], int(values["port"][0])
        alias = values.get("hostkeyalias", [""])[0]
        # These it shows as they are written, all others expanded.
        tokens = file_tokens(host, name, port, user, alias)
        identities = None
        if values.get("identityfile") != self.defaults.get("identityfile"):
            identities = tuple(
                expand_path(file, tokens, "IdentityFile")
                for file in values.get("identityfile", [])
                if file.lower() != "none"
            )
        known = None
        if values.get("userknownhostsfile") != self.defaults.get("userknownhostsfile"):
            files = [file for line in values.get("userknownhostsfile", []) for file in _PATHS.split(line)]
            known = tuple(_at_home(file) for file in files if file.lower() != "none")
        return Options(
            host=host,
            port=port,
            user=user,
            identity_files=identities,
            certificate_files=tuple(file for file in values.get("certificatefile", []) if file.lower() != "none"),
            identities_only=values.get("identitiesonly", ["no"])[0] in ("yes", "true"),
            identity_agent=_at_home(values.get("identityagent", [""])[0]),
            known_hosts_files=known,
            host_key_alias=alias,
            proxy_jump=values.get("proxyjump", [""])[0],
            proxy_command=values.get("proxycommand", [""])[0],
        )


def _values(answer: bytes) -> dict[str, list[str]]:
    """By keyword in lower case, what OpenSSH says; several values where it has several lines."""
    found: dict[str, list[str]] = {}
    # Paths may be in any encoding.
    for line in os.fsdecode(answer).split("\n"):
        keyword, _, value = line.partition(" ")
        found.setdefault(keyword.lower(), []).append(value)
    return found


def _at_home(path: str) -> str:
    """A path below `~/.ssh` by this environment's HOME, where the configuration comes from too.

    OpenSSH goes by the account's home directory, which is another in some containers.
    """
    theirs = f"{pwd.getpwuid(os.getuid()).pw_dir}/.ssh/"
    return f"{path_of('~')}/.ssh/{path.removeprefix(theirs)}" if path.startswith(theirs) else path
