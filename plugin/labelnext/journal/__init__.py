"""Plans, their steps, and the journals that make every run resumable and undoable."""

from __future__ import annotations

# The function hides its module of the same name, as adapters of other packages import it from here.
from labelnext.journal.carry_out import Performer, carry_out, take_back
from labelnext.journal.journal import Journal
from labelnext.journal.plan import Plan, Progress, Step

__all__ = ["Journal", "Performer", "Plan", "Progress", "Step", "carry_out", "take_back"]
