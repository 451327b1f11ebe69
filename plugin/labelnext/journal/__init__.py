"""Plans, their steps, and the journals that make every run resumable and undoable."""

from __future__ import annotations

from labelnext.journal.carry_out import Performer
from labelnext.journal.journal import Journal
from labelnext.journal.plan import Plan, Progress, Step

__all__ = ["Journal", "Performer", "Plan", "Progress", "Step"]
