"""The only place that chooses between a pool in memory and a pool in parts."""

from __future__ import annotations

from typing import Protocol

from labelnext.adapter import Adapter, Streams, Target
from labelnext.config import Config
from labelnext.job import Job
from labelnext.journal import Journal, Plan, Progress
from labelnext.streamed.job import LargeJob, is_large
from labelnext.whole import WholeJob


class Writer(Protocol):
    """What carries out a plan and takes it back: an adapter, a target or a job."""

    def apply(self, plan: Plan, journal: Journal) -> None:
        """Do what the plan says and the journal does not hold as done."""

    def undo(self, journal: Journal) -> list[str]:
        """Put back what was there before; returns what had to stay, one sentence each."""


def job_of(settings: Config, platform: Adapter, progress: Progress | None) -> Job:
    """The job for what the adapter holds: parts, or a pool that is read whole."""
    parts = platform.parts() if isinstance(platform, Streams) else None
    if parts is None:
        return WholeJob(settings, platform, progress)
    return LargeJob(settings, platform, progress, parts)


def writer_of(
    settings: Config, platform: Adapter | Target, journal: Journal, progress: Progress | None
) -> Writer:
    """What carried out a journal, and so can finish it or take it back."""
    if is_large(journal):
        return LargeJob(settings, platform, progress)
    return platform
