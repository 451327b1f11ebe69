"""The connection: the SDK's own transport (headers, token refresh, retries) without its models.

The SDK builds a pydantic object for every prediction, which takes four times as long as the
request itself; so the bodies are taken raw and decoded by the caller.
"""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from errno import EINVAL
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec
from label_studio_sdk import LabelStudio
from label_studio_sdk.core.api_error import ApiError
from pydantic import SecretStr

from labelnext.errors import ConfigError, InvalidInput, LabelnextError, NotFound, Unavailable
from labelnext_adapters.label_studio.server.bounded import bound
from labelnext_adapters.label_studio.server.json_rows import decode_rows
from labelnext_adapters.label_studio.server.location import find_base
from labelnext_adapters.label_studio.server.refusals import (
    TimedOut,
    detail_of,
    redirected,
    refused,
    translated,
    unreachable,
)

T = TypeVar("T")

# Listing the predictions of a large project takes minutes; a host that is not there does not.
TIMEOUT = httpx.Timeout(300, connect=10)

# Label Studio answers a body above 250 MB with an error of its own making.
MOST_BYTES = 200_000_000

# Label Studio's own server sends an answer in small pieces and waits 40 ms between two of them on a
# connection that is kept, which is as long as it works; a new one costs less, unless it is TLS.
_ONE_REQUEST_EACH = httpx.Limits(max_keepalive_connections=0)

_RESETS = 2  # how often a request is sent again whose connection was reset

_log = logging.getLogger("labelnext.label_studio")


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
        pauses: seconds to wait before a long reading goes on where it broke off; the first ones,
            before a request is sent again whose connection was reset.
        clock: the server's, to the second, when it last answered; None if it doesn't tell.
    """

    pauses: tuple[float, ...] = (1.0, 4.0, 16.0)
    clock: datetime | None = None

    def __init__(self, url: str, api_key: SecretStr, ca_bundle: Path | None = None) -> None:
        self.url = url
        self._api_key = api_key
        # A redirect would turn a POST into a GET, and could carry the token to another host.
        self._http = httpx.Client(
            timeout=TIMEOUT,
            follow_redirects=False,
            verify=_trust(ca_bundle),
            event_hooks={"response": [bound]},
            limits=httpx.Limits() if url.startswith("https:") else _ONE_REQUEST_EACH,
        )
        try:
            self._open(url)
        except ApiError as error:
            self._http.close()
            raise translated(error.status_code, detail_of(error.body), url, "") from None

    def _open(self, base: str) -> Any:
        # The slash at the end keeps the path when the SDK joins the address of the token's refresh.
        sdk = LabelStudio(
            base_url=f"{base}/",
            api_key=self._api_key.get_secret_value(),
            httpx_client=self._http,
        )
        # The one private name of the SDK in use: there is no public way to its raw transport.
        return sdk._client_wrapper.httpx_client

    @cached_property
    def base(self) -> str:
        """The address that requests go to: `url`, or where it redirects on the same host.

        Raises:
            Unavailable: if nothing answers.
            NotFound: if it redirects without end, to another host, or to what is no server.
        """
        with self._translating("GET", "api/version"):
            return find_base(self._http, self.url)

    @cached_property
    def _transport(self) -> Any:
        return self._open(self.base)

    def get(self, path: str, **params: Any) -> bytes:
        """The body of a GET, after retries.

        Raises:
            NotFound, AccessDenied, Unavailable, InvalidInput: as the server answers.
        """
        return self._request("GET", path, params=params)

    def get_json(self, path: str, **params: Any) -> Any:
        """The decoded body of a GET."""
        return self.decode(self.get(path, **params), Any)

    def get_row(self, path: str, shape: type[msgspec.Struct], **params: Any) -> dict[str, Any]:
        """The decoded body of a GET, which must be an object with these names and types.

        Raises:
            NotFound: if it is not what Label Studio answers.
        """
        row: dict[str, Any] = self._shaped(path, shape, params)
        return row

    def get_list(
        self, path: str, shape: type[msgspec.Struct], **params: Any
    ) -> list[dict[str, Any]]:
        """The decoded body of a GET, which must be a list of such objects."""
        rows_here: list[dict[str, Any]] = self._shaped(path, list[shape], params)  # type: ignore[valid-type]
        return rows_here

    def _shaped(self, path: str, shape: Any, params: Mapping[str, Any]) -> Any:
        answer = self.get_json(path, **params)
        try:
            msgspec.convert(answer, shape)
        except (msgspec.ValidationError, RecursionError) as error:
            raise self._other_server(path, f"{error}: {answer!r}") from None
        return answer

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

    def _rows(
        self, path: str, type_: type[T], params: Mapping[str, Any], *, again: bool = False
    ) -> Iterator[T]:
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
            if again or not self._has_exchanged(response):
                if not response.is_success:
                    response.read()
                    raise self._refused(response, path)
                try:
                    for block in decode_rows(response.iter_bytes(), decode):
                        yield from block
                except (ValueError, RecursionError) as error:
                    raise self._other_server(path, str(error)) from None
                return
        yield from self._rows(path, type_, params, again=True)

    def send(
        self,
        method: str,
        path: str,
        body: Any,
        *,
        retry: bool = True,
        seconds: float | None = None,
        **params: Any,
    ) -> dict[str, Any]:
        """Send JSON; the decoded answer, empty if there is none.

        Args:
            method: of HTTP.
            path: without a slash at its beginning.
            body: what msgspec can encode; None for no body.
            retry: whether a request whose answer was lost may be sent again: doing it twice must
                end in the same state.
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
        answer = self._request(
            method, path, retry=retry, request_options=options or None, **arguments
        )
        said = self.decode(answer, Any) if answer.strip() else None
        return said if isinstance(said, dict) else {}

    def download(self, path: str, seconds: float, params: Mapping[str, str]) -> bytes:
        """The body of a GET that may fail: asked once.

        Args:
            path: without a slash at its beginning.
            seconds: how long to wait for the answer.
            params: of the address.
        """
        options = {"max_retries": 0, "timeout_in_seconds": seconds}
        return self._request("GET", path, retry=False, params=params, request_options=options)

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
                retry=False,
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
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            html = body.lstrip()[:1] == b"<"
            raise self._other_server("", "it is an HTML page" if html else str(error)) from None

    def _other_server(self, path: str, said: str) -> NotFound:
        where = f" to /{path}" if path else ""
        return NotFound(
            f"url must be the address of a Label Studio server; got {self.url!r}, whose answer"
            f"{where} isn't Label Studio's ({' '.join(said.split())[:120]}).",
            hint="use the server's address alone, such as https://label.example.com.",
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def _request(self, method: str, path: str, *, retry: bool = True, **arguments: Any) -> bytes:
        with self._translating(method, path):
            response = self._answer(method, path, retry, arguments)
            if "files" not in arguments and self._has_exchanged(response):
                response = self._answer(method, path, retry, arguments)  # nothing was done yet
        _log.debug("%s %s: %s", method, path, response.status_code)
        with suppress(TypeError, ValueError):
            self.clock = parsedate_to_datetime(response.headers.get("date")).astimezone(UTC)
        if response.is_success:
            content: bytes = response.content
            return content
        raise self._refused(response, path)

    def _has_exchanged(self, response: httpx.Response) -> bool:
        """Let the next request get a new access token if this answer says that it has expired.

        By the server's clock; the SDK goes by ours.
        """
        denied = response.status_code == HTTPStatus.UNAUTHORIZED
        if not denied or self._api_key.get_secret_value().count(".") != 2:  # a legacy token
            return False
        self.__dict__.pop("_transport", None)
        return True

    def _answer(
        self, method: str, path: str, retry: bool, arguments: Mapping[str, Any]
    ) -> httpx.Response:
        """The answer; a request whose connection is reset is sent again, like one with a 500.

        So is any that the server has no time for (429), because it has done nothing of it.
        """
        transport = self._transport
        for pause in self.pauses[:_RESETS]:
            try:
                response: httpx.Response = transport.request(path, method=method, **arguments)
            except httpx.ConnectError:  # the SDK tried this again
                raise
            except httpx.NetworkError as error:
                if not retry:
                    raise
                _log.debug("%s %s: %r, trying again", method, path, error)
                time.sleep(pause)
                continue
            busy = response.status_code == HTTPStatus.TOO_MANY_REQUESTS
            if retry or not busy or "files" in arguments:  # the SDK tried this again, or read them
                return response
            time.sleep(max(pause, _asked_to_wait(response)))
        response = transport.request(path, method=method, **arguments)
        return response

    def _refused(self, response: httpx.Response, path: str) -> LabelnextError:
        if response.has_redirect_location:
            return redirected(self.url, path, str(response.headers["location"]))
        return refused(response, self.url, path)

    @contextmanager
    def _translating(self, method: str, path: str) -> Iterator[None]:
        """Errors of the transport as ours."""
        try:
            yield
        except LabelnextError:  # some are ValueErrors, too
            raise
        except httpx.ReadTimeout as error:
            raise TimedOut(
                f"Label Studio at {self.url} did not answer {method} {path} in "
                f"{TIMEOUT.read:.0f} s.",
                hint="try again when the server is less busy.",
            ) from error
        except (httpx.RequestError, httpx.InvalidURL) as error:
            raise unreachable(error, self.url) from error
        except ApiError as error:  # of the refresh of a Personal Access Token
            raise translated(error.status_code, detail_of(error.body), self.url, path) from None
        except (ValueError, RecursionError) as error:  # so is this, of an answer that is no JSON
            raise self._other_server("api/token/refresh/", str(error)) from None


def _asked_to_wait(response: httpx.Response) -> float:
    """The seconds that an answer asks for, a minute at most."""
    said = str(response.headers.get("retry-after", ""))
    return min(float(said), 60.0) if said.isdecimal() else 0.0


def _trust(ca_bundle: Path | None) -> ssl.SSLContext | bool:
    if ca_bundle is None:
        return True
    try:
        if ca_bundle.exists() and not ca_bundle.is_file():
            raise OSError(EINVAL, "it is no file")  # a pipe may never end
        return ssl.create_default_context(cafile=str(ca_bundle))
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"ca_bundle must be a PEM certificate file; got {str(ca_bundle)!r} ({error})."
        ) from error
