"""What can go wrong, in words for the person at the keyboard.

    PlstuiError
    ├── ConfigError          settings are wrong or missing; nothing was asked of Azure
    │   └── NotJournaledError    Azure has done a write, and the journal could not take note of it
    ├── CredentialsError     nobody is signed in, or the sign-in is no longer good
    │   └── SignInPendingError   somebody is asked to sign in and may still do so
    ├── UnreachableError     no answer: name, network, TLS or time-out
    │   └── AnswerLostError      to a write that was sent: it may have been done, or be done later
    ├── OutcomeUnknownError  whether a write was done is not known, even after looking
    ├── RefusedError         plstui itself does not do it, and says why
    ├── LeftBehindError      something of plstui's own could not be removed again
    └── AzureError           Azure answered with an error; its code is kept
        ├── NotFoundError    what was asked for is not there
        ├── NotReadBackError Azure has taken a write, and what came of it could not be read
        ├── DecidedOtherwiseError   Azure has taken a write, and somebody else has decided otherwise since
        └── ThrottledError   too many requests; carries how long to wait

Every message is one sentence. `hint` is the next step, also one sentence, or empty.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

UNREADABLE = "UnreadableAnswer"
"""Our own code for an answer that makes no sense. Whatever was asked for may have been done."""

_ABSENT = frozenset({"resourcenotfound", "notfound", "resourcegroupnotfound", "parentresourcenotfound"})


class PlstuiError(Exception):
    """Anything a person can be told in one sentence."""

    code = "Error"
    """A word for programs: ARM's own code where there is one."""

    def __init__(self, message: str, *, hint: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if code:
            self.code = code

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class ConfigError(PlstuiError):
    """Settings are wrong or missing."""

    code = "Configuration"


class NotJournaledError(ConfigError):
    """Azure has done a write, and the journal could not take note of it."""

    def __init__(self, trouble: ConfigError, after: object) -> None:
        super().__init__(f"Azure has done it. {trouble.message}", hint=trouble.hint)
        self.after = after
        """What the write came to, as it was read back."""


class CredentialsError(PlstuiError):
    """There is no usable sign-in for a subscription."""

    code = "Credentials"


class SignInPendingError(CredentialsError):
    """Somebody has been asked to sign in; the message is the request."""

    code = "SignInPending"


class UnreachableError(PlstuiError):
    """The endpoint gave no answer."""

    code = "Unreachable"


class AnswerLostError(UnreachableError):
    """A write was sent and its answer did not come: it may have been done, be done later, or never."""

    code = "AnswerLost"


class OutcomeUnknownError(PlstuiError):
    """Whether a write was done is not known, even after looking; it must not be sent again unasked."""

    code = "OutcomeUnknown"

    def __init__(self, why: str, cause: PlstuiError | None, *, hint: str) -> None:
        """`cause` is what came instead of an answer; None where Azure has taken the write and it does not show."""
        end = "" if why.endswith(".") else "."
        lost = f" {cause.message}" if cause else ""
        super().__init__(f"It is not known whether Azure has done it: {why}{end}{lost}", hint=hint)
        self.why = why
        """What was seen instead of an answer, as a clause."""


class RefusedError(PlstuiError):
    """The action is not possible now; the message says why."""

    code = "Refused"


class LeftBehindError(PlstuiError):
    """Something that plstui has made for a moment stays; the hint is how to remove it."""

    code = "LeftBehind"


class AzureError(PlstuiError):
    """Azure answered with an error."""

    code = "AzureError"

    retry_after: float | None = None
    """Seconds that Azure asks to wait before the next try; None when it does not say."""

    def __init__(self, message: str, *, status: int = 0, hint: str = "", code: str = "") -> None:
        super().__init__(message, hint=hint, code=code)
        self.status = status
        """The HTTP status; 0 when the failure came in a long-running operation's result."""


class NotFoundError(AzureError):
    """The resource, group or subscription is not there."""

    code = "NotFound"

    @property
    def is_absence(self) -> bool:
        """Whether it says that a resource, its parent or its group is not there.

        The other ones say that the whole subscription cannot be seen or that a type is unknown, and so nothing about
        what was asked for.
        """
        return self.code.lower() in _ABSENT


class NotReadBackError(AzureError):
    """Azure has taken a write, and what came of it could not be read; the message says why, as a clause."""

    code = "NotReadBack"


class DecidedOtherwiseError(AzureError):
    """Azure has taken a write, and somebody else has decided otherwise since."""

    code = "DecidedOtherwise"

    def __init__(self, name: str, what: str, now: object) -> None:
        """`what` says as a clause what it is now."""
        super().__init__(
            f"Azure has changed {name}, and somebody else has changed it again since: {what}.",
            hint="Agree on it with whoever else changes it before you do so again.",
        )
        self.now = now
        """What was written to as it was read; None when it is gone."""


class ThrottledError(AzureError):
    """Azure asks for fewer requests."""

    code = "TooManyRequests"

    def __init__(self, message: str, *, retry_after: float, status: int = 429, code: str = "") -> None:
        super().__init__(message, status=status, hint=f"Azure asks to wait {retry_after:.0f} s.", code=code)
        self.retry_after: float = retry_after


Retrying = Callable[[PlstuiError, float], object]
"""Hears of a refusal that passes by itself, and in how many seconds it is tried again."""


def again_in(error: PlstuiError, pause: float) -> str:
    """What is said of such a refusal; `pause` is in seconds."""
    return f"{error.code}: {error.message} Trying again in {ceil(pause)} s."
