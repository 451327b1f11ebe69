"""What stops a command that keeps running."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from labelnext.cli.stopping import stop_on_signals

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = [signal.getsignal(sign) for sign in SIGNALS]
    yield
    for sign, handler in zip(SIGNALS, before, strict=True):
        signal.signal(sign, handler)


@pytest.mark.parametrize("sign", SIGNALS)
def test_a_command_is_stopped_by_each_way_to_end_it(sign: signal.Signals) -> None:
    stop = stop_on_signals()
    assert not stop.is_set()
    signal.raise_signal(sign)
    assert stop.is_set()


def test_nohup_lets_a_command_outlive_its_terminal() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    stop = stop_on_signals()
    signal.raise_signal(signal.SIGHUP)
    assert not stop.is_set()
