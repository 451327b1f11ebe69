"""Plans, their steps, and the record that lets every run be ended or undone."""

from __future__ import annotations

from labelnext.journal.journal import Journal, Performer, Plan, Progress, Step

__all__ = ["Journal", "Performer", "Plan", "Progress", "Step"]
