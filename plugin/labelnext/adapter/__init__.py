"""Adapters: how labelnext reads a platform's items and writes rankings back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labelnext.adapter.capabilities import Capability
from labelnext.adapter.options import Options, SendOptions, WriteOptions
from labelnext.adapter.preview import Preview
from labelnext.adapter.protocol import (
    Adapter,
    Context,
    CountsLabels,
    Finding,
    GivesBatches,
    Part,
    ShowsItems,
    Streams,
    TakesBatches,
    TakesLabels,
    TakesObjectScores,
    Target,
    TellsWork,
)
from labelnext.adapter.registry import (
    ADAPTERS,
    able,
    adapter_names,
    get_adapter,
    missing_modules,
    open_adapter,
    require,
    source_options,
)
from labelnext.adapter.team import Act, Shard, Work
from labelnext.journal.carry_out import Performer
from labelnext.journal.journal import Journal
from labelnext.journal.plan import Plan, Progress, Step

if TYPE_CHECKING:
    from labelnext.pool.objects import Notice

__all__ = [
    "ADAPTERS",
    "Act",
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
    "Preview",
    "Progress",
    "SendOptions",
    "Shard",
    "ShowsItems",
    "Step",
    "Streams",
    "TakesBatches",
    "TakesLabels",
    "TakesObjectScores",
    "Target",
    "TellsWork",
    "Work",
    "WriteOptions",
    "able",
    "adapter_names",
    "get_adapter",
    "missing_modules",
    "open_adapter",
    "require",
    "source_options",
]


def __getattr__(name: str) -> Any:
    if name == "Notice":  # with numpy, which a list of runs needs nothing of
        from labelnext.pool.objects import Notice

        return Notice
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
