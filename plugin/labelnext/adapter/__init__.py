"""The Adapter protocol: how a platform's items come in, and how a ranking goes back."""

from __future__ import annotations

from labelnext.adapter.capabilities import Capability
from labelnext.adapter.protocol import (
    ADAPTERS,
    Adapter,
    Context,
    CountsLabels,
    Finding,
    GivesBatches,
    Options,
    Part,
    SendOptions,
    Streams,
    TakesBatches,
    TakesLabels,
    TakesObjectScores,
    Target,
    WriteOptions,
    able,
    adapter_names,
    get_adapter,
    missing_modules,
    open_adapter,
    require,
    source_options,
)
from labelnext.journal.journal import Journal, Performer, Plan, Progress, Step
from labelnext.pool.objects import Notice

__all__ = [
    "ADAPTERS",
    "Adapter",
    "Capability",
    "Context",
    "CountsLabels",
    "Finding",
    "GivesBatches",
    "Journal",
    "Notice",
    "Options",
    "Part",
    "Performer",
    "Plan",
    "Progress",
    "SendOptions",
    "Step",
    "Streams",
    "TakesBatches",
    "TakesLabels",
    "TakesObjectScores",
    "Target",
    "WriteOptions",
    "able",
    "adapter_names",
    "get_adapter",
    "missing_modules",
    "open_adapter",
    "require",
    "source_options",
]
