"""The connection: the SDK's own transport (headers, token refresh, retries) without its models.

The SDK builds a pydantic object for every prediction, which takes four times as long as the
request itself; so the bodies are taken raw and decoded by the caller.
"""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec
from label_studio_sdk import LabelStudio
from label_studio_sdk.core.api_error import ApiError
from pydantic import SecretStr

from labelnext.errors import (
    AccessDenied,
    ConfigError,
    InvalidInput,
    LabelnextError,
    NotFound,
    Unavailable,
)
from labelnext_adapters.label_studio.server.json_rows import decode_rows

T = TypeVar("T")

# Listing the predictions of a large project takes minutes; a host that is not there does not.
TIMEOUT = httpx.Timeout(300, connect=10)

# Label Studio answers a body above 250 MB with an error of its own making.
MOST_BYTES = 200_000_000

# Label Studio's own server sends an answer in small pieces and waits 40 ms between two of them on a
# connection that is kept, which is as long as it works; a new one costs less, unless it is TLS.
_ONE_REQUEST_EACH = httpx.Limits(max_keepalive_connections=0)

_log = logging.getLogger("labelnext.label_studio")


class TimedOut(Unavailable):
    """The server took the request and did not answer in time."""


class NoSuchPath(NotFound):
    """The address leads nowhere: what answered is no Label Studio, or not its root."""


class Client:
    """One Label Studio server.

    Args:
        url: of the server, without a slash at the end.
        api_key: a Personal Access Token or a legacy token.
        ca_bundle: certificates to trust instead of the system's.

    Raises:
        ConfigError: if `ca_bundle` is not a file of certificates.
        AccessDenied: if the token can be seen to be expired.

    Attributes:
        pauses: seconds to wait before a long reading goes on where it broke off.
    """

    pauses: tuple[float, ...] = (1.0, 4.0, 16.0)

    def __init__(self, url: str, api_key: SecretStr, ca_bundle: Path | None = None) -> None:
        self.url = url
        self._http = httpx.Client(
            timeout=TIMEOUT,
            follow_redirects=True,
            verify=_trust(ca_bundle),
            limits=httpx.Limits() if url.startswith("https:") else _ONE_REQUEST_EACH,
        )
        try:
            sdk = LabelStudio(
                base_url=url, api_key=api_key.get_secret_value(), httpx_client=self._http
            )
        except ApiError as error:
            self._http.close()
            raise _translated(error.status_code, _detail(error.body), url, "") from None
        # The one private name of the SDK in use: there is no public way to its raw transport.
        self._transport: Any = sdk._client_wrapper.httpx_client

    def get(self, path: str, **params: Any) -> bytes:
        """The body of a GET, after retries.

        Raises:
            NotFound, AccessDenied, Unavailable, InvalidInput: as the server answers.
        """
        return self._request("GET", path, params=params)

    def get_json(self, path: str, **params: Any) -> Any:
        """The decoded body of a GET."""
        return self.decode(self.get(path, **params), Any)

    def rows(self, path: str, type_: type[T], **params: Any) -> Iterator[T]:
        """The rows of a list, decoded as they come in, so that the list is never held as a whole.

        A list that breaks off is asked for again from its beginning: rows may come twice.

        Raises:
            TimedOut: if the server does not send it in time; this is not tried again.
            NotFound, AccessDenied, Unavailable, InvalidInput: as the server answers.
        """
        for pause in self.pauses:
            try:
                yield from self._rows(path, type_, params)
                return
            except TimedOut:
                raise
            except Unavailable:
                time.sleep(pause)
        yield from self._rows(path, type_, params)

    def _rows(self, path: str, type_: type[T], params: Mapping[str, Any]) -> Iterator[T]:
        decoder = msgspec.json.Decoder(list[type_])  # type: ignore[valid-type]

        def decode(body: bytes) -> list[T]:
            try:
                rows: list[T] = decoder.decode(body)
            except msgspec.DecodeError as error:
                raise ValueError(str(error)) from error
            return rows

        with (
            self._translating("GET", path),
            self._transport.stream(path, method="GET", params=params) as response,
        ):
            _log.debug("GET %s: %s", path, response.status_code)
            if not response.is_success:
                response.read()
                raise _refused(response, self.url, path)
            try:
                for block in decode_rows(response.iter_bytes(), decode):
                    yield from block
            except ValueError as error:
                raise self._other_server(error) from None

    def send(
        self,
        method: str,
        path: str,
        body: Any,
        *,
        retry: bool = True,
        seconds: float | None = None,
        **params: Any,
    ) -> Any:
        """Send JSON; the decoded answer, None if there is none.

        Args:
            method: of HTTP.
            path: without a slash at its beginning.
            body: what msgspec can encode; None for no body.
            retry: whether a request whose answer was lost may be sent again.
            seconds: how long to wait for the answer, when it may take very long.
            params: of the address.

        Raises:
            InvalidInput: if the body is larger than the server takes.
        """
        arguments: dict[str, Any] = {"params": params}
        if body is not None:
            content = msgspec.json.encode(body)
            if len(content) > MOST_BYTES + 1_000_000:
                raise InvalidInput(
                    f"a request must be smaller than {MOST_BYTES:,} bytes; got {len(content):,}."
                )
            arguments |= {"content": content, "headers": {"Content-Type": "application/json"}}
        options: dict[str, Any] = {} if retry else {"max_retries": 0}
        if seconds is not None:
            options["timeout_in_seconds"] = seconds
        answer = self._request(method, path, request_options=options or None, **arguments)
        return self.decode(answer, Any) if answer.strip() else None

    def upload(self, path: str, files: Mapping[str, str]) -> None:
        """Send files that no task uses yet; once, because it would keep a second copy.

        Args:
            path: of the import of a project.
            files: path of each file, by the name that it gets there.
        """
        with ExitStack() as stack:
            # Each in a field of its own: of several in one field the server takes the last.
            opened = {
                name: (name, stack.enter_context(Path(file).open("rb")))
                for name, file in files.items()
            }
            self._request(
                "POST",
                path,
                params={"commit_to_project": "false"},
                files=opened,
                request_options={"max_retries": 0},
            )

    def decode(self, body: bytes, type_: type[T]) -> T:
        """A JSON body as a typed value.

        Raises:
            NotFound: if it is not what Label Studio answers.
        """
        try:
            return msgspec.json.decode(body, type=type_)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._other_server(error) from None

    def _other_server(self, error: Exception) -> NotFound:
        return NotFound(
            f"url must be the address of a Label Studio server; got {self.url!r}, whose answer "
            f"isn't Label Studio's ({str(error)[:120]}).",
            hint="use the server's address alone, such as https://label.example.com.",
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def _request(self, method: str, path: str, **arguments: Any) -> bytes:
        with self._translating(method, path):
            response = self._transport.request(path, method=method, **arguments)
        _log.debug("%s %s: %s", method, path, response.status_code)
        if response.is_success:
            content: bytes = response.content
            return content
        raise _refused(response, self.url, path)

    @contextmanager
    def _translating(self, method: str, path: str) -> Iterator[None]:
        """Errors of the transport as ours."""
        try:
            yield
        except httpx.ReadTimeout as error:
            raise TimedOut(
                f"Label Studio at {self.url} did not answer {method} {path} in "
                f"{TIMEOUT.read:.0f} s.",
                hint="try again when the server is less busy.",
            ) from error
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise Unavailable(
                f"can't reach Label Studio at {self.url}: {error or type(error).__name__}.",
                hint="check the url, and that the server is running.",
            ) from error
        except ApiError as error:  # of the refresh of a Personal Access Token
            raise _translated(error.status_code, _detail(error.body), self.url, path) from None


def _trust(ca_bundle: Path | None) -> ssl.SSLContext | bool:
    if ca_bundle is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(ca_bundle))
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"ca_bundle must be a PEM certificate file; got {str(ca_bundle)!r} ({error})."
        ) from error


def _refused(response: httpx.Response, url: str, path: str) -> LabelnextError:
    return _translated(response.status_code, _detail(_json(response)), url, path)


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _detail(body: Any) -> str:
    """What the server says about the error, in one short line."""
    if not isinstance(body, Mapping):
        return ""
    said = body.get("detail") or ""
    more = body.get("validation_errors")
    return " ".join(f"{said} {more or ''}".split())[:300]


def _translated(status: int | None, detail: str, url: str, path: str) -> LabelnextError:
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
        missing = NotFound if detail else NoSuchPath
        return missing(
            f"/{path} doesn't exist on {url}{said}.",
            hint="check the url: it should be the server's address alone, without a path.",
        )
    if status is None or status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in (408, 409, 429):
        return Unavailable(
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
    if "expired" in lowered or "blacklisted" in lowered:
        return "create a new Personal Access Token in Account & Settings."
    return "copy the token again from Account & Settings in Label Studio."
