"""The only place that chooses between a pool in memory and a pool in parts."""

from __future__ import annotations

from typing import cast

from labelnext.adapter.capabilities import Capability, can
from labelnext.adapter.protocol import Adapter, Streams, Target
from labelnext.config.config import Config
from labelnext.journal.journal import Journal
from labelnext.journal.plan import Progress
from labelnext.runs.job import Job


def job_of(
    settings: Config, platform: Adapter, progress: Progress | None, *, shows_boxes: bool = False
) -> Job:
    """The job for the adapter's pool: in parts, or in memory.

    Args:
        settings: the configuration.
        platform: the open adapter.
        progress: called with a stage, how much is done, and of how much.
        shows_boxes: whether boxes of objects are shown, also where the ranking doesn't use them.
    """
    parts = cast("Streams", platform).parts() if can(platform, Capability.STREAMS) else None
    if parts is None:
        from labelnext.runs.ranked import uses_boxes
        from labelnext.runs.whole import WholeJob  # which undo, resume and lists do without

        boxes = shows_boxes or uses_boxes(settings, platform)
        return WholeJob(settings, platform, progress, boxes=boxes)
    from labelnext.runs.large.job import LargeJob  # most pools are whole

    return LargeJob(settings, platform, progress, parts)


def writer_of(
    settings: Config, platform: Adapter | Target, journal: Journal, progress: Progress | None
) -> Job | Adapter | Target:
    """Whatever wrote a journal's run, and so can finish or undo it."""
    from labelnext.runs.large.job import LargeJob, is_large

    if is_large(journal):
        return LargeJob(settings, platform, progress)
    return platform
