"""Which server an address means."""

from __future__ import annotations

from labelnext.support.addresses import server_of


def test_the_usual_names_of_one_server_are_one() -> None:
    names = ["http://localhost:8080", "https://127.0.0.1:8080/", "HTTP://LOCALHOST:8080"]
    assert len({server_of(name) for name in names}) == 1


def test_a_server_that_moved_from_http_to_https_is_the_same() -> None:
    assert server_of("http://a/next") == server_of("https://a:443/next") == "//a/next"


def test_servers_of_other_hosts_ports_and_paths_differ() -> None:
    names = ["https://a", "https://b", "https://a:8443", "https://a/next"]
    assert len({server_of(name) for name in names}) == len(names)


def test_a_password_is_left_out() -> None:
    assert "secret" not in server_of("http://me:secret@a")
