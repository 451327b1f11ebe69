"""Pauses between our requests, in which those of people get through."""

from __future__ import annotations

import time

# On SQLite, a request that waits for the lock asks for it less and less often. Without a pause
# after each request of ours, an annotator's would wait for several of them.
_SHARE, _LONGEST = 1.0, 0.6  # of the request's time, and seconds


def give_way(took: float) -> None:
    """Wait before the next request.

    Args:
        took: seconds that the server was busy with the last one.
    """
    time.sleep(min(took * _SHARE, _LONGEST))


__all__ = ["give_way"]
