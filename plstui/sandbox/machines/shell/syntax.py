"""What a script is made of, once read."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Literal:
    """Text that stands for itself."""

    text: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class Variable:
    """`$NAME`, `${NAME}`, `${NAME:-default}`, `$?`, `$1`."""

    name: str
    quoted: bool
    default: Word | None = None
    """What stands in for a variable that is unset or empty."""


@dataclass(frozen=True, slots=True)
class Substitution:
    """`$(script)`: what the script prints, without the newlines at its end."""

    script: Script
    quoted: bool


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`$((expression))` over integers."""

    text: str


Word = tuple[Literal | Variable | Substitution | Arithmetic, ...]
"""One word of a command line, before expansion."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """`>file`, `2>>file`, `2>&1`, `<file`, `<<END`."""

    descriptor: int
    operator: str
    target: Word
    """The file, the other descriptor (`>&`), or the text itself (`<<`)."""


@dataclass(frozen=True, slots=True)
class Simple:
    """A command with its arguments, or assignments alone."""

    assignments: tuple[tuple[str, Word], ...]
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class If:
    """`if … then … elif … else … fi`."""

    branches: tuple[tuple[Script, Script], ...]
    otherwise: Script | None


@dataclass(frozen=True, slots=True)
class For:
    """`for NAME in WORDS; do … done`."""

    name: str
    words: tuple[Word, ...]
    body: Script


@dataclass(frozen=True, slots=True)
class While:
    """`while … do … done`, and `until`."""

    condition: Script
    body: Script
    until: bool


@dataclass(frozen=True, slots=True)
class Group:
    """`{ …; }`, and `( … )` whose variables stay inside."""

    body: Script
    subshell: bool


@dataclass(frozen=True, slots=True)
class Command:
    """Any command with its redirections."""

    what: Simple | If | For | While | Group
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands joined by `|`."""

    commands: tuple[Command, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class Chain:
    """Pipelines joined by `&&` and `||`."""

    first: Pipeline
    rest: tuple[tuple[str, Pipeline], ...]
    background: bool = False
    """Whether a `&` follows, so that the script goes on."""


@dataclass(frozen=True, slots=True)
class Script:
    """Chains, one after the other."""

    chains: tuple[Chain, ...] = field(default=())
