"""How commands that keep running are told to stop."""

from __future__ import annotations

import signal
import threading


def stop_on_signals() -> threading.Event:
    """What Ctrl-C, SIGTERM and a terminal that is closed set, unless nohup started this process."""
    stop = threading.Event()
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        sign = getattr(signal, name, None)  # Windows has no SIGHUP
        ignored = name == "SIGHUP" and sign and signal.getsignal(sign) == signal.SIG_IGN
        if sign is not None and not ignored:
            signal.signal(sign, lambda *_: stop.set())
    return stop


__all__ = ["stop_on_signals"]
