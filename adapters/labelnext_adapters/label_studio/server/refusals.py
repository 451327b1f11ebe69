"""What a server's refusals and silences mean, as one line each with what to do."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import httpx

from labelnext.errors import (
    AccessDenied,
    InvalidInput,
    LabelnextError,
    NotFound,
    Unavailable,
)

# What TLS libraries say of an answer in plain text.
_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG")


class Failed(Unavailable):
    """The server answered that it failed: it is no longer at work on the request."""


class TimedOut(Unavailable):
    """The server took the request and did not answer in time."""


class NoSuchPath(NotFound):
    """The address leads nowhere: what answered is no Label Studio, or not its root."""


class NoSuchObject(NotFound):
    """Label Studio answers that it has no such object."""


def refused(response: httpx.Response, url: str, path: str) -> LabelnextError:
    """A refusal by the server as an error of ours."""
    return translated(response.status_code, detail_of(_json(response)), url, path)


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except (ValueError, RecursionError):
        return None


def redirected(url: str, path: str, there: str) -> NotFound:
    """What to say of a redirect, which is never followed with a token."""
    return NotFound(
        f"url must be the final address of a Label Studio server; got {url!r}, which redirects "
        f"/{path} to {there!r}.",
        hint="if that is your server, write its address in url; a login page in front of the "
        "server must let requests with a token through.",
    )


def unreachable(error: Exception, url: str) -> Unavailable:
    """What to say when no answer came."""
    said = str(error).rstrip(".") or type(error).__name__
    hint = "check the url, and that the server is running."
    if "CERTIFICATE_VERIFY_FAILED" in said:
        hint = (
            "set ca_bundle to the PEM file with the certificate that signed the server's, or the "
            "certificate itself if it is self-signed."
        )
    elif any(sign in said.upper().replace(" ", "_") for sign in _NO_TLS):
        hint = f"the server doesn't speak https there; write {plain(url)}, or the https port."
    elif url.startswith("http:") and isinstance(error, httpx.ProtocolError | httpx.ReadError):
        hint += f" If it speaks https, write {secure(url)}."
    return Unavailable(f"can't reach Label Studio at {url}: {said}.", hint=hint)


def plain(url: str) -> str:
    """The address with http."""
    return "http" + url.removeprefix("https").removeprefix("http")


def secure(url: str) -> str:
    """The address with https."""
    return "https" + url.removeprefix("https").removeprefix("http")


def detail_of(body: Any) -> str:
    """What the server says about the error, in one short line."""
    if not isinstance(body, Mapping):
        return ""
    said = body.get("detail") or ""
    more = body.get("validation_errors")
    return " ".join(f"{said} {more or ''}".split())[:300]


def translated(status: int | None, detail: str, url: str, path: str) -> LabelnextError:
    """A status and what was said with it as an error of ours."""
    said = f" ({detail.rstrip('.')})" if detail else ""
    if status == HTTPStatus.UNAUTHORIZED:
        return AccessDenied(
            f"{url} rejected the api_key{said}.",
            hint=_token_hint(detail),
        )
    if status == HTTPStatus.FORBIDDEN:
        return AccessDenied(
            f"the token's user has no permission to use /{path} on {url}{said}.",
            hint="ask the server's administrator, or use a token whose user has permission.",
        )
    if status == HTTPStatus.NOT_FOUND:
        # Label Studio says in JSON that an object is missing, and in HTML that an address is.
        missing = f"/{path} doesn't exist on {url}{said}."
        if detail:
            return NoSuchObject(missing, hint="it was deleted, or the token's user may not see it.")
        hint = "it should be the server's address alone, without a path."
        if not urlsplit(url).path:
            hint = "if the server is under a path, such as /label-studio, the url must end in it."
        return NoSuchPath(missing, hint=f"check the url: {hint}")
    if status is None or status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in (408, 409, 429):
        kind = Failed if status == HTTPStatus.INTERNAL_SERVER_ERROR else Unavailable
        return kind(
            f"Label Studio at {url} failed on /{path} with status {status}{said}.",
            hint="try again; see the server's log for details.",
        )
    return InvalidInput(f"Label Studio at {url} refused /{path} with status {status}{said}.")


def _token_hint(detail: str) -> str:
    lowered = detail.lower()
    if "legacy" in lowered:
        return (
            "use a Personal Access Token (Account & Settings), or have an administrator allow "
            "legacy tokens in the organization's settings."
        )
    if "wrong type" in lowered:
        return (
            "this is an access token, which expires after five minutes; use the Personal Access "
            "Token from Account & Settings."
        )
    if "inactive" in lowered:
        return "have an administrator activate that user, or use another user's token."
    if "expired" in lowered or "blacklisted" in lowered:
        return "create a new Personal Access Token in Account & Settings."
    return "copy the token again from Account & Settings in Label Studio."
