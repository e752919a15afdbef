"""What the SDK raises → plstui's errors: one clean sentence, ARM's code, and where possible the next step.

ARM has three envelopes for an error (with details, without, and none at all), Entra ID a fourth; gateways on the way
answer with HTML or with nothing.
"""

from __future__ import annotations

import json
import os
import re
import socket
import ssl
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import responses
from math import isfinite
from typing import Any, TypeGuard
from urllib.parse import urlsplit

from azure.core.exceptions import AzureError as SdkError
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.core.polling.base_polling import BadResponse

from plstui.arm.transport import LostAnswerError
from plstui.domain.az import register_line
from plstui.domain.errors import (
    UNREADABLE,
    AnswerLostError,
    AzureError,
    CredentialsError,
    NotFoundError,
    PlstuiError,
    ThrottledError,
    UnreachableError,
)
from plstui.domain.ids import ResourceId
from plstui.domain.text import clean

SDK_ERRORS = (
    *(SdkError, OSError, ValueError, TypeError, LookupError, AttributeError),
    *(ArithmeticError, RecursionError, zlib.error),
)
"""What a call of the SDK may raise; from the third on for answers that are not what its models expect."""

LONGEST = 400
"""Characters of Azure's words that are kept: enough for two ids and the sentence around them."""

DEFAULT_RETRY_AFTER = 10.0
"""Seconds to wait when Azure asks for fewer requests and does not say how long: as recorded for most writes."""

_NO_ANSWER = (ServiceRequestError, ServiceResponseError, IncompleteReadError, OSError)

RETRYABLE = "RetryableError"
"""ARM's code for a write whose target refers to something that is still being updated. A 429, but no throttling."""

_EMPTY_WORDS = frozenset({RETRYABLE, "PreconditionFailed"})
"""Codes whose message says no more than the code; what is the matter stands in the details."""

_ACTION = re.compile(r"perform action '(?P<action>[^']+)'(?:.*?over scope '(?P<scope>[^']+)')?", re.DOTALL)
_NAMESPACE = re.compile(r"namespace '(?P<namespace>[^']+)'")
_ENTRA_TRAILER = re.compile(r"\s*(?:Trace ID|Correlation ID|Timestamp):.*", re.DOTALL)
_ENTRA_WORDS = re.compile(r"AADSTS\d+:.*", re.DOTALL)
_TOO_MANY = 429
_BUSY_ENTRA = "temporarily_unavailable"
"""OAuth's word for a server that is in trouble or has too much to do (RFC 6749, 4.1.2.1); Entra ID uses it too."""

_ON_THE_WAY = "Try again; if it stays so, check azure.arm in the settings, and the proxy if there is one."

_REFUSED_TOKENS = {
    "expiredauthenticationtoken": "Check this computer's clock; if it is right, sign in anew.",
    "invalidauthenticationtokentenant": "The sign-in is one of another tenant: sign in to the subscription's own.",
}
"""By ARM's code, in lower case, what helps where a new token is refused too."""


class UnreadableError(ValueError):
    """An answer that makes no sense, said in our own words."""


@dataclass(frozen=True, slots=True)
class Where:
    """What was being talked to when something went wrong."""

    arm: str
    subscription: str
    next_step: str
    """What somebody can do whose sign-in is not accepted."""

    @property
    def address(self) -> str:
        """Host and port of ARM."""
        parts = urlsplit(self.arm)
        return f"{parts.hostname}:{parts.port or 443}"


def explain(error: Exception, where: Where) -> PlstuiError:
    """The error of plstui that says what an exception of the SDK means."""
    if _has_answer(error) and not isinstance(error.inner_exception, BadResponse):
        if error.status_code == HTTPStatus.UNAUTHORIZED:
            return _not_accepted(error, where)
        return _refused(error, where)
    if isinstance(error, _NO_ANSWER):
        return _unreachable(error, where)
    return AzureError(_unreadable(error, where), code=UNREADABLE, hint=_ON_THE_WAY)


def explain_sign_in(error: Exception, where: Where) -> PlstuiError:
    """The same of who gives out tokens, whose address is `where.arm`.

    Only what Entra ID says of the sign-in is a refusal of it. Whatever else comes back is trouble there or on the way,
    and since there was no token, nothing was sent to Azure.
    """
    if _has_answer(error):
        return _no_token(error, where)
    if isinstance(error, ClientAuthenticationError):
        # A library says this in words of its own, in which Entra ID's may stand.
        if entra := _ENTRA_WORDS.search(error.message):
            return CredentialsError(sentence(entra[0]), hint=where.next_step)
        if not any(_reason(cause)[0] for cause in _causes(error)):
            return CredentialsError("The sign-in did not succeed.", hint=where.next_step)
        return _unreachable(error, where)
    if isinstance(error, _NO_ANSWER):
        return _unreachable(error, where)
    return UnreachableError(_unreadable(error, where), hint=_ON_THE_WAY)


def _has_answer(error: Exception) -> TypeGuard[HttpResponseError]:
    """Whether there is a whole answer that tells what is wrong."""
    return (
        isinstance(error, HttpResponseError)
        and not isinstance(error, IncompleteReadError)
        and error.response is not None
    )


def _unreadable(error: Exception, where: Where) -> str:
    words = str(error) if isinstance(error, UnreadableError) else "it is not what Azure sends"
    return f"The answer of {where.address} cannot be read: {sentence(words)}"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that an answer asks to wait, in whichever of the three headers it says so; None when it does not."""
    for name, factor in (("Retry-After", 1.0), ("retry-after-ms", 0.001), ("x-ms-retry-after-ms", 0.001)):
        if (value := headers.get(name)) and (seconds := _seconds(value, headers.get("Date", ""))) is not None:
            return max(seconds * factor, 0.0)
    return None


def operation_failed(body: object) -> AzureError:
    """The error of a long-running operation that has failed; its status is that of a good answer, so none is kept."""
    words = _words(body)
    return AzureError(words.message or "Azure gave up on it and does not say why.", code=words.code or "Failed")


@dataclass(frozen=True, slots=True)
class _Words:
    """What an error's body says."""

    code: str = ""
    message: str = ""


def _words(body: object) -> _Words:
    """Code and message from any of the envelopes."""
    if not isinstance(body, Mapping):
        return _Words()
    inner = body.get("error", body)
    if isinstance(inner, str):  # Entra ID
        return _Words(clean(inner, 80), sentence(body.get("error_description")))
    if not isinstance(inner, Mapping):
        return _Words()
    code, message = clean(_str(inner.get("code")), 80), inner.get("message")
    details = inner.get("details")
    if code in _EMPTY_WORDS and isinstance(details, list) and details and isinstance(details[0], Mapping):
        message = details[0].get("message") or message
    return _Words(code, sentence(message))


def _refused(error: HttpResponseError, where: Where) -> PlstuiError:
    """Azure answered with an error."""
    response: Any = error.response
    status = int(response.status_code)
    body, is_html = body_of(response)
    if status < HTTPStatus.BAD_REQUEST:
        if status < HTTPStatus.MULTIPLE_CHOICES or body is not None:
            return operation_failed(body)
        # Whoever leads elsewhere is not Azure, and tells nothing of what was asked for.
        return AzureError(_without_words(status, where.address, is_html=is_html), code=UNREADABLE, hint=_ON_THE_WAY)
    words = _words(body)
    code, message = words.code, words.message or _without_words(status, where.address, is_html=is_html)
    if code == "SubscriptionNotFound":
        return NotFoundError(
            f"There is no subscription {where.subscription}, or this sign-in cannot see it.",
            status=status,
            code=code,
            hint="Check the subscription's id; az account list shows those you can see.",
        )
    if status == HTTPStatus.NOT_FOUND and code:
        # ARM always gives one; a 404 without comes from something on the way, which knows nothing of resources.
        return NotFoundError(message, status=status, code=code)
    if status == _TOO_MANY and code != RETRYABLE:
        seconds = retry_after(response.headers)
        return ThrottledError(
            message, retry_after=DEFAULT_RETRY_AFTER if seconds is None else seconds, status=status, code=code
        )
    if status == HTTPStatus.FORBIDDEN and (missing := _ACTION.search(_str(_inner(body).get("message")))):
        return _forbidden(missing, code, where)
    if code == "MissingSubscriptionRegistration" and (found := _NAMESPACE.search(message)):
        hint = f"Register it with: {register_line(found['namespace'], where.subscription)}"
        return AzureError(message, status=status, code=code, hint=hint)
    fault = AzureError(message, status=status, code=code or f"Http{status}")
    fault.retry_after = retry_after(response.headers)
    return fault


def _forbidden(missing: re.Match[str], code: str, where: Where) -> AzureError:
    """A right is missing: which one, and where."""
    action = clean(missing["action"], 120)
    scope = ResourceId(clean(missing["scope"] or f"/subscriptions/{where.subscription}", LONGEST))
    return AzureError(
        f"You may not do {action} on {scope.name or scope}.",
        status=HTTPStatus.FORBIDDEN,
        code=code or "AuthorizationFailed",
        hint="Ask its owner for a role that has this action; a role that is new takes a few minutes to count.",
    )


def _not_accepted(error: HttpResponseError, where: Where) -> CredentialsError:
    """A token that Azure does not accept."""
    response: Any = error.response
    body, is_html = body_of(response)
    words = _words(body)
    message = words.message or _without_words(int(response.status_code), where.address, is_html=is_html)
    message = f"Azure does not accept the sign-in for subscription {where.subscription}: {message}"
    hint = _REFUSED_TOKENS.get(words.code.lower(), where.next_step)
    if "claims=" in response.headers.get("WWW-Authenticate", ""):
        hint = (
            "A policy of the tenant asks for more than this sign-in has: sign in anew, or ask who manages the tenant."
        )
    return CredentialsError(message, hint=hint, code=words.code)


def _no_token(error: HttpResponseError, where: Where) -> PlstuiError:
    """An answer without a token."""
    response: Any = error.response
    status = int(response.status_code)
    body, is_html = body_of(response)
    words = _words(body)
    message = words.message or _without_words(status, where.address, is_html=is_html)
    if status == _TOO_MANY:
        seconds = retry_after(response.headers)
        return ThrottledError(message, retry_after=DEFAULT_RETRY_AFTER if seconds is None else seconds, code=words.code)
    is_its_own = isinstance(body, Mapping) and "error_description" in body and words.code != _BUSY_ENTRA
    if is_its_own and HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return CredentialsError(message, hint=where.next_step, code=words.code)
    told = f"{where.address} gives no token now: {message}" if words.message else message
    return UnreachableError(told, hint="Try again; if it stays so, check the proxy if there is one.")


def _unreachable(error: Exception, where: Where) -> UnreachableError:
    """No answer: from whom, and why in words. `AnswerLostError` where something may have been done."""
    address, why, hint = where.address, "", ""
    causes = tuple(_causes(error))
    lost = next((cause for cause in causes if isinstance(cause, LostAnswerError)), None)
    for cause in causes:
        host, port = getattr(cause, "host", None), getattr(cause, "port", None)
        if host and port:
            address = f"{host}:{port}"
        if not why:
            why, hint = _reason(cause)
    if not why and any("Disconnected" in type(cause).__name__ for cause in causes):
        why = "it closed the connection without an answer"
    elif not why and isinstance(error, IncompleteReadError):
        why = "it closed the connection in the middle of an answer"
    if not why:
        # What is left are words that a library has for itself.
        why, hint = "what came of the connection is no answer", _ON_THE_WAY
    kind = AnswerLostError if lost else UnreachableError
    return kind(f"{address} does not answer: {sentence(why)}", hint=hint)


def _reason(cause: BaseException) -> tuple[str, str]:
    """Why in words, and the next step; both empty when this exception does not tell."""
    match cause:
        case ssl.SSLCertVerificationError():
            hint = "If that is right, name the file with its certificate authority as azure.ca in the settings."
            return f"its certificate is not trusted ({clean(cause.verify_message, 120)})", hint
        case ssl.SSLError():
            return f"no TLS connection came about{f' ({clean(cause.reason, 120)})' if cause.reason else ''}", ""
        case socket.gaierror():
            return "there is no such name", "Check azure.arm in the settings and the network's name server."
        case ConnectionRefusedError():
            return "it refuses the connection", "Check that it is running and that azure.arm names its port."
        case ConnectionResetError() | BrokenPipeError():
            return "it closed the connection", ""
        case TimeoutError():
            return "no answer came in time", ""
        case OSError(errno=int(number)) if number > 0:
            text = os.strerror(number)  # asyncio and others put words of their own in the place of the system's.
            return text[:1].lower() + text[1:], ""
    return "", ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and what it was made from, innermost first: the libraries between name it in their own ways."""
    chain: list[BaseException] = []
    waiting = [error]
    while waiting:
        current = waiting.pop(0)
        if any(current is seen for seen in chain):
            continue
        chain.append(current)
        links = (getattr(current, name, None) for name in ("inner_exception", "os_error", "certificate_error"))
        waiting += [
            link for link in (*links, current.__cause__, current.__context__) if isinstance(link, BaseException)
        ]
    return reversed(chain)


def body_of(response: Any) -> tuple[object, bool]:
    """The body of an answer as JSON, and whether it is HTML instead."""
    try:
        text = response.text() if response is not None else ""
        return json.loads(text), False
    except (SdkError, ValueError, RecursionError):  # Not read, or no JSON: then the status has to speak.
        content_type = (response.content_type or "") if response is not None else ""
        return None, "html" in content_type


def _inner(body: object) -> Mapping[str, Any]:
    inner = body.get("error", body) if isinstance(body, Mapping) else None
    return inner if isinstance(inner, Mapping) else {}


def _without_words(status: int, address: str, *, is_html: bool) -> str:
    """A sentence for an error that brings none."""
    name = responses.get(status, "a status of its own")
    how = "with a web page instead of an explanation" if is_html else "without an explanation"
    return f"{address} answered {status} ({name}) {how}."


def sentence(text: object) -> str:
    """Azure's or Entra ID's words as one harmless line that ends like a sentence."""
    line = clean(_ENTRA_TRAILER.sub("", _str(text)[: LONGEST * 4]), LONGEST)
    return line if not line or line[-1] in ".!?…" else f"{line}."


def _str(value: object) -> str:
    return value if isinstance(value, str) else ""


def _seconds(value: str, sent: str) -> float | None:
    """A header's number, or the time from when it was sent until its HTTP date; None when it is neither."""
    try:
        number = float(value)
        return number if isfinite(number) else None
    except ValueError:
        pass
    try:
        # By the clock of whoever has sent it: ours may be wrong.
        now = parsedate_to_datetime(sent) if sent else datetime.now(UTC)
        return (parsedate_to_datetime(value) - now).total_seconds()
    except (ValueError, TypeError):
        return None
