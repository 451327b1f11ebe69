"""Pauses between our requests, in which those of people get through."""

from __future__ import annotations

import time

# On SQLite, a request that waits for the lock asks for it less and less often. Without a pause
# after each request of ours, an annotator's would wait for several of them. It asks every tenth of
# a second at the latest, so a shorter pause may pass unseen.
_SHARE, _SHORTEST, _LONGEST = 1.0, 0.12, 0.6  # of the request's time, and seconds


def give_way(took: float) -> None:
    """Wait before the next request.

    Args:
        took: seconds that the server was busy with the last one.
    """
    time.sleep(min(max(took * _SHARE, _SHORTEST), _LONGEST))


__all__ = ["give_way"]
