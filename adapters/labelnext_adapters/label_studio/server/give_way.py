"""Pauses between our requests, in which those of people get through."""

from __future__ import annotations

import time

# On SQLite, a request that waits for the lock asks for it less and less often. Without a pause
# after each request of ours, an annotator's would wait for several of them.
_SHARE, _LONGEST = 1.0, 0.6  # of the request's time, and seconds
_USUAL, _ROOM = 0.1, 2.0  # seconds for a small request, and at most after one


def give_way(took: float) -> None:
    """Wait before the next request.

    Args:
        took: seconds that the server was busy with the last one.
    """
    time.sleep(min(took * _SHARE, _LONGEST))


def give_room(took: float) -> None:
    """Wait before the next of many small requests: briefly, but longer where others ask, too.

    An idle server takes some 0.05 s for one. What it took beyond 0.1 s, somebody else had; so the
    pause grows with the square.

    Args:
        took: seconds for the last one.
    """
    time.sleep(min(took * max(took / _USUAL, 1.0), _ROOM))


__all__ = ["give_room", "give_way"]
