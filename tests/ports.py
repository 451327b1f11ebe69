"""Ports for servers of the tests."""

from __future__ import annotations

import socket
from contextlib import suppress
from random import SystemRandom

#: Below those that the system gives to connections: tests open thousands of them while a server,
#: which was told its port, takes seconds to start.
PORTS = range(20_000, 32_768)


def free_port() -> int:
    """A port of loopback that nobody uses now."""
    for port in SystemRandom().sample(PORTS, 100):
        with suppress(OSError), socket.socket() as s:
            s.bind(("127.0.0.1", port))
            return port
    raise AssertionError("a hundred ports are in use")
