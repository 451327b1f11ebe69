"""What holds for all tiers."""

from __future__ import annotations

from hypothesis import settings

# A busy machine is slow, not wrong; and the invariances run over the whole table of functions.
settings.register_profile("labelnext", deadline=None, max_examples=40)
settings.load_profile("labelnext")
