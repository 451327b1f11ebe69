"""labelnext: which item should be labelled next?

The public API: names listed in `__all__`, loaded when first used.
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labelnext.acquisition import acquisition_names, get_acquisition
    from labelnext.adapter.registry import adapter_names, open_adapter
    from labelnext.config.config import load_config
    from labelnext.errors import LabelnextError
    from labelnext.pool.objects import Objects
    from labelnext.pool.pool import Pool
    from labelnext.probes.probe import probe
    from labelnext.quality.reviews import review
    from labelnext.ranking.rank import rank
    from labelnext.ranking.ranking import Ranking
    from labelnext.replays.replay import replay
    from labelnext.report.report import Report
    from labelnext.runs.exchange import fetch, send
    from labelnext.runs.run import run
    from labelnext.runs.undo import resume, undo
    from labelnext.selection import get_selection, selection_names

__version__ = "0.1.0"

__all__ = [
    "LabelnextError",
    "Objects",
    "Pool",
    "Ranking",
    "Report",
    "acquisition_names",
    "adapter_names",
    "fetch",
    "get_acquisition",
    "get_selection",
    "load_config",
    "open_adapter",
    "probe",
    "rank",
    "replay",
    "resume",
    "review",
    "run",
    "selection_names",
    "send",
    "undo",
]

_HOMES = {
    "LabelnextError": "errors",
    "Objects": "pool.objects",
    "Pool": "pool.pool",
    "Ranking": "ranking.ranking",
    "Report": "report.report",
    "acquisition_names": "acquisition",
    "adapter_names": "adapter.registry",
    "fetch": "runs.exchange",
    "get_acquisition": "acquisition",
    "get_selection": "selection",
    "load_config": "config.config",
    "open_adapter": "adapter.registry",
    "probe": "probes.probe",
    "rank": "ranking.rank",
    "replay": "replays.replay",
    "resume": "runs.undo",
    "review": "quality.reviews",
    "run": "runs.run",
    "selection_names": "selection",
    "send": "runs.exchange",
    "undo": "runs.undo",
}


# A library is silent until somebody listens.
logging.getLogger(__name__).addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*(name for name in globals() if name.startswith("__")), *__all__})
