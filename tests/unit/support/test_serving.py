"""serving: what becomes of odd requests, and of a port that is taken."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from http import HTTPStatus

import httpx
import pytest

from labelnext.errors import ConfigError
from labelnext.support.serving import Answer, Request, serving


def repeat(request: Request) -> Answer:
    said = f"{request.method} {request.path} {request.headers.get('x-what')} {len(request.body)}"
    return Answer(HTTPStatus.OK, said)


@pytest.fixture
def port() -> Iterator[int]:
    with serving("127.0.0.1:0", repeat, "listen") as port:
        yield port


def test_requests_are_answered_and_the_port_is_free_again() -> None:
    with serving("127.0.0.1:0", repeat, "listen") as port:
        url = f"http://127.0.0.1:{port}/a?b=c"
        assert httpx.get(url, headers={"X-What": "it"}).text == "GET /a?b=c it 0"
        assert httpx.post(url, content=b"12345").text == "POST /a?b=c None 5"
        assert httpx.delete(url).status_code == 501
    with serving(f"127.0.0.1:{port}", repeat, "listen") as again:
        assert again == port


def test_a_fault_of_ours_is_an_error_of_the_server(caplog: pytest.LogCaptureFixture) -> None:
    def broken(request: Request) -> Answer:
        raise LookupError("no such thing")

    with serving("127.0.0.1:0", broken, "listen") as port:
        assert httpx.get(f"http://127.0.0.1:{port}/a?token=x").status_code == 500
    assert caplog.messages == ["a request to /a failed: LookupError('no such thing')"]


@pytest.mark.parametrize("size", ["2000000", "-1", "many", "\xb2"])
def test_a_request_that_says_it_is_huge_is_refused_unread(port: int, size: str) -> None:
    with socket.create_connection(("127.0.0.1", port), 10) as plain:
        plain.sendall(f"POST / HTTP/1.1\r\nContent-Length: {size}\r\n\r\n".encode("latin-1"))
        assert plain.recv(100).startswith(b"HTTP/1.0 413")


@pytest.mark.parametrize("listen", ["127.0.0.1:99999", "127.0.0.1:x", "a b:80", "", ":", ":80"])
def test_what_is_no_host_and_port_is_refused(listen: str) -> None:
    with (
        pytest.raises(ConfigError, match=r"watch\.listen must be a host and a port, such as 127"),
        serving(listen, repeat, "watch.listen"),
    ):
        pass


def test_a_port_that_is_taken_is_named(port: int) -> None:
    with (
        pytest.raises(
            ConfigError, match=r"watch\.listen must be a host and port that are free here"
        ),
        serving(f"127.0.0.1:{port}", repeat, "watch.listen"),
    ):
        pass
