"""Reads shell text: the part of the POSIX language that the lab, its probes and its people use."""

from __future__ import annotations

import re

from plstui.sandbox.machines.errors import ShellSyntaxError
from plstui.sandbox.machines.shell.syntax import (
    Arithmetic,
    Chain,
    Command,
    For,
    Group,
    If,
    Literal,
    Pipeline,
    Redirect,
    Script,
    Simple,
    Substitution,
    Variable,
    While,
    Word,
)

DEEPEST = 40
"""Levels of nesting a script may have; far more than a person writes, and too few to exhaust the stack."""

LONGEST = 256 * 1024
"""Characters of a script, as many as Azure takes in one."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=")
_REDIRECT = re.compile(r"(\d?)(&>>?|>>|>&|>|<<-?|<)")
_PARAMETER = re.compile(r"[?#@*$]|\d|[A-Za-z_][A-Za-z0-9_]*")
_BRACED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*|[?#@*]|\d+)(:?-)?")
_LENGTH = re.compile(r"(#[A-Za-z_][A-Za-z0-9_]*)\}")
_KEYWORD = re.compile(r"[A-Za-z_]+|[{}!]|\[\[")
_WORD_ENDS = " \t\n;&|<>()"
_RESERVED_ENDS = ("then", "elif", "else", "fi", "do", "done", "}")
_NOT_HERE = ("case", "function", "select", "[[")


def parse(text: str, depth: int = 0) -> Script:
    """The script in `text`, which stands `depth` levels deep in another one. Raises `ShellSyntaxError`."""
    if len(text) > LONGEST:
        raise ShellSyntaxError(f"a script has at most {LONGEST // 1024} KiB in the sandbox")
    parser = _Parser(text, depth)
    script = parser.script(())
    if not parser.at_end:
        raise ShellSyntaxError(f"syntax error near unexpected token '{parser.near}'")
    return script


class _Parser:
    def __init__(self, text: str, depth: int) -> None:
        self._text = text.replace("\r\n", "\n")
        self._at = 0
        self._depth = depth

    @property
    def at_end(self) -> bool:
        return self._at >= len(self._text)

    @property
    def near(self) -> str:
        return (self._text[self._at : self._at + 20].split() or ["newline"])[0]

    def script(self, ends: tuple[str, ...]) -> Script:
        """Chains until the end of the text, a `)`, or one of the reserved words in `ends`."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise ShellSyntaxError("nested too deeply")
        chains: list[Chain] = []
        while True:
            self._skip_lines()
            if self.at_end or self._peek(")") or self._keyword() in _RESERVED_ENDS:
                break
            chain = self._chain()
            self._blanks()
            # Never the first half of `&&`: that belongs to the chain.
            background = self._take("&")
            chains.append(Chain(chain.first, chain.rest, background))
            if not (background or self._take(";") or self._peek("\n") or self.at_end or self._peek(")")):
                break
        self._depth -= 1
        if ends and self._keyword() not in ends:
            raise ShellSyntaxError(f"syntax error: expected '{ends[-1]}' near '{self.near}'")
        return Script(tuple(chains))

    def _chain(self) -> Chain:
        first = self._pipeline()
        rest: list[tuple[str, Pipeline]] = []
        while True:
            self._blanks()
            for operator in ("&&", "||"):
                if self._take(operator):
                    self._skip_lines()
                    rest.append((operator, self._pipeline()))
                    break
            else:
                return Chain(first, tuple(rest))

    def _pipeline(self) -> Pipeline:
        self._blanks()
        negated = self._take_keyword("!")
        commands = [self._command()]
        while True:
            self._blanks()
            if self._peek("||") or not self._take("|"):
                return Pipeline(tuple(commands), negated)
            self._skip_lines()
            commands.append(self._command())

    def _command(self) -> Command:
        self._blanks()
        keyword = self._keyword()
        redirects: list[Redirect] = []
        what: Simple | If | For | While | Group
        if keyword in _NOT_HERE:
            raise ShellSyntaxError(f"{keyword}: not in the sandbox")
        if keyword == "if":
            what = self._if()
        elif keyword == "for":
            what = self._for()
        elif keyword in ("while", "until"):
            what = self._while(keyword)
        elif self._take_keyword("{"):
            what = Group(self.script(("}",)), subshell=False)
            self._take_keyword("}")
        elif self._take("("):
            what = Group(self.script(()), subshell=True)
            self._expect(")")
        else:
            what = self._simple(redirects)
        self._redirects(redirects)
        return Command(what, tuple(redirects))

    def _if(self) -> If:
        branches: list[tuple[Script, Script]] = []
        otherwise = None
        while self._take_keyword("if") or self._take_keyword("elif"):
            condition = self.script(("then",))
            self._take_keyword("then")
            branches.append((condition, self.script(("elif", "else", "fi"))))
        if self._take_keyword("else"):
            otherwise = self.script(("fi",))
        self._take_keyword("fi")
        return If(tuple(branches), otherwise)

    def _for(self) -> For:
        self._take_keyword("for")
        self._blanks()
        name = _NAME.match(self._text, self._at)
        if not name:
            raise ShellSyntaxError(f"syntax error near '{self.near}'")
        self._at = name.end()
        words: list[Word] = []
        self._blanks()
        if self._take_keyword("in"):
            self._blanks()
            while (word := self._word()) is not None:
                words.append(word)
                self._blanks()
        self._blanks()
        self._take(";")
        self._skip_lines()
        return For(name[0], tuple(words), self._body())

    def _while(self, keyword: str) -> While:
        self._take_keyword(keyword)
        condition = self.script(("do",))
        return While(condition, self._body(), keyword == "until")

    def _body(self) -> Script:
        if not self._take_keyword("do"):
            raise ShellSyntaxError(f"syntax error: expected 'do' near '{self.near}'")
        body = self.script(("done",))
        self._take_keyword("done")
        return body

    def _simple(self, redirects: list[Redirect]) -> Simple:
        assignments: list[tuple[str, Word]] = []
        words: list[Word] = []
        while True:
            self._redirects(redirects)
            match = _ASSIGNMENT.match(self._text, self._at)
            if match and not words:
                self._at = match.end()
                assignments.append((match[1], self._word() or ()))
                continue
            word = self._word()
            if word is None:
                break
            words.append(word)
        if not (words or assignments or redirects):
            raise ShellSyntaxError(f"syntax error near unexpected token '{self.near}'")
        return Simple(tuple(assignments), tuple(words))

    def _redirects(self, into: list[Redirect]) -> None:
        while True:
            self._blanks()
            match = _REDIRECT.match(self._text, self._at)
            if not match:
                return
            self._at = match.end()
            operator = match[2]
            descriptor = int(match[1]) if match[1] else (0 if operator.startswith("<") else 1)
            self._blanks()
            if operator.startswith("<<"):
                into.append(Redirect(descriptor, "<<", self._heredoc(strip=operator.endswith("-"))))
                continue
            target = self._word()
            if target is None:
                raise ShellSyntaxError(f"syntax error near unexpected token '{self.near}'")
            if operator.startswith("&"):
                into.append(Redirect(1, operator[1:], target))
                into.append(Redirect(2, ">&", (Literal("1", True),)))
            else:
                into.append(Redirect(descriptor, operator, target))

    def _word(self) -> Word | None:
        """The word here, or None when there is none."""
        parts: list[Literal | Variable | Substitution | Arithmetic] = []
        start = self._at
        while not self.at_end:
            char = self._text[self._at]
            if char in _WORD_ENDS:
                break
            if char == "'":
                end = self._text.find("'", self._at + 1)
                if end < 0:
                    raise ShellSyntaxError("unterminated quoted string")
                parts.append(Literal(self._text[self._at + 1 : end], True))
                self._at = end + 1
            elif char == '"':
                self._at += 1
                parts.extend(self._quoted(closed_by='"'))
            elif char == "\\":
                escaped = self._text[self._at + 1 : self._at + 2]
                self._at += 2
                if escaped != "\n":
                    parts.append(Literal(escaped, True))
            elif char in "$`":
                parts.append(self._dollar(quoted=False))
            else:
                end = self._at
                while end < len(self._text) and self._text[end] not in _WORD_ENDS + "'\"\\$`":
                    end += 1
                parts.append(Literal(self._text[self._at : end], False))
                self._at = end
        return tuple(parts) if self._at > start else None

    def _quoted(self, *, closed_by: str) -> list[Literal | Variable | Substitution | Arithmetic]:
        """Text in which only `$`, backquotes and backslashes mean something, up to `closed_by` or the end."""
        parts: list[Literal | Variable | Substitution | Arithmetic] = [Literal("", True)]
        text = ""
        while not self.at_end:
            char = self._text[self._at]
            if char == closed_by:
                self._at += 1
                return [*parts, Literal(text, True)]
            if char == "\\" and self._text[self._at + 1 : self._at + 2] in ('"', "\\", "$", "`", "\n"):
                escaped = self._text[self._at + 1]
                text += "" if escaped == "\n" else escaped
                self._at += 2
            elif char in "$`":
                parts.append(Literal(text, True))
                text = ""
                parts.append(self._dollar(quoted=True))
            else:
                text += char
                self._at += 1
        if closed_by:
            raise ShellSyntaxError("unterminated quoted string")
        return [*parts, Literal(text, True)]

    def _dollar(self, *, quoted: bool) -> Literal | Variable | Substitution | Arithmetic:
        if self._take("`"):
            end = self._text.find("`", self._at)
            if end < 0:
                raise ShellSyntaxError("unterminated quoted string")
            inner = parse(self._text[self._at : end], self._depth)
            self._at = end + 1
            return Substitution(inner, quoted)
        self._expect("$")
        if self._take("(("):
            end = self._text.find("))", self._at)
            if end < 0:
                raise ShellSyntaxError("syntax error: expected '))'")
            text = self._text[self._at : end]
            self._at = end + 2
            return Arithmetic(text)
        if self._take("("):
            script = self.script(())
            self._expect(")")
            return Substitution(script, quoted)
        if self._take("{"):
            return self._braced(quoted=quoted)
        if match := _PARAMETER.match(self._text, self._at):
            self._at = match.end()
            return Variable(match[0], quoted)
        return Literal("$", quoted)

    def _braced(self, *, quoted: bool) -> Variable:
        if length := _LENGTH.match(self._text, self._at):
            self._at = length.end()
            return Variable(length[1], quoted)
        match = _BRACED.match(self._text, self._at)
        if not match:
            raise ShellSyntaxError(f"${{{self.near}: bad substitution")
        self._at = match.end()
        default: Word | None = None
        if match[2]:
            end = self._text.find("}", self._at)
            default = (Literal(self._text[self._at : max(end, self._at)], quoted),)
            self._at = max(end, self._at)
        if not self._take("}"):
            raise ShellSyntaxError(f"${{{match[1]}…: bad substitution")
        return Variable(match[1], quoted, default)

    def _blanks(self) -> None:
        while not self.at_end:
            if self._text[self._at] in " \t":
                self._at += 1
            elif self._text.startswith("\\\n", self._at):
                self._at += 2
            elif self._text[self._at] == "#" and (self._at == 0 or self._text[self._at - 1] in " \t\n;"):
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
            else:
                return

    def _skip_lines(self) -> None:
        self._blanks()
        while self._take("\n"):
            self._blanks()

    def _heredoc(self, *, strip: bool) -> Word:
        """The text that stands after this line, up to the word that is next here; it is taken out of the script."""
        start = self._at
        self._word()
        word = self._text[start : self._at]
        end = word.strip("'\"\\")
        line_end = self._text.find("\n", self._at) + 1 or len(self._text)
        taken: list[str] = []
        at = line_end
        while at < len(self._text):
            line = self._text[at : self._text.find("\n", at) + 1 or len(self._text)]
            at += len(line)
            line = line.lstrip("\t") if strip else line
            if line.rstrip("\n") == end:
                break
            taken.append(line)
        self._text = self._text[:line_end] + self._text[at:]
        body = "".join(taken)
        return (Literal(body, True),) if word != end else tuple(_Parser(body, self._depth)._quoted(closed_by=""))

    def _keyword(self) -> str:
        """The bare word here, if it is one: what reserved words are recognised by."""
        self._blanks()
        match = _KEYWORD.match(self._text, self._at)
        if not match:
            return ""
        after = self._text[match.end() : match.end() + 1]
        return match[0] if not after or after in _WORD_ENDS else ""

    def _take_keyword(self, word: str) -> bool:
        if self._keyword() != word:
            return False
        self._at += len(word)
        return True

    def _peek(self, text: str) -> bool:
        return self._text.startswith(text, self._at)

    def _take(self, text: str) -> bool:
        if not self._peek(text):
            return False
        self._at += len(text)
        return True

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise ShellSyntaxError(f"syntax error: expected '{text}' near '{self.near}'")
