"""Plans, their steps, and the record that lets every run be ended or undone."""

from __future__ import annotations

from labelnext.journal.carry_out import Performer
from labelnext.journal.journal import Journal
from labelnext.journal.plan import Plan, Progress, Step

__all__ = ["Journal", "Performer", "Plan", "Progress", "Step"]
