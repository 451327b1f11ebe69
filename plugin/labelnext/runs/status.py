"""status(config): labelling progress, and what further labelling would gain."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from labelnext.adapter.protocol import Adapter
from labelnext.config.config import Config
from labelnext.config.opened import loaded, opened
from labelnext.errors import InvalidInput
from labelnext.journal.journal import journals
from labelnext.journal.plan import Progress
from labelnext.pool.pool import Pool
from labelnext.quality.stopping import Signal, Snapshot, signals, snapshots
from labelnext.replays.curves import Protocol
from labelnext.replays.forecast import Forecast, forecast
from labelnext.replays.replay import labelled_part
from labelnext.runs.belonging import belongs
from labelnext.runs.job import INPUT
from labelnext.runs.jobs import job_of


@dataclass(frozen=True)
class Status:
    """Labelling progress and stopping signals.

    Attributes:
        n_items: number of items in the source now.
        n_labelled: number of labelled items.
        runs: summaries of all runs, oldest first.
        signals: signs that further labelling may gain little.
        forecast: what further labelling would gain, or why there is no forecast.
        unchanged: whether predictions and labels are still those that the newest run read.
    """

    n_items: int
    n_labelled: int
    runs: list[Snapshot]
    signals: list[Signal]
    forecast: Forecast | str
    unchanged: bool = False

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able data."""
        ahead = self.forecast
        return {
            "n_items": self.n_items,
            "n_labelled": self.n_labelled,
            "unchanged": self.unchanged,
            "runs": [run.to_dict() for run in self.runs],
            "signals": [asdict(signal) for signal in self.signals],
            "forecast": ahead if isinstance(ahead, str) else asdict(ahead),
        }

    def to_json(self) -> str:
        """As JSON text."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False)


def status(
    config: Config | Path | str | Mapping[str, Any],
    *,
    adapter: Adapter | None = None,
    progress: Progress | None = None,
) -> Status:
    """Labelling progress, score changes between runs, stopping signals and a forecast.

    Args:
        config: as for `run`.
        adapter: an adapter that is already open.
        progress: as for `run`.
    """
    settings = loaded(config)
    with opened(settings, adapter, progress) as platform:
        job = job_of(settings, platform, progress)
        n_items, n_labelled, pool = job.labelled()
        input_hash = job.input_hash()
    others = {j.run_id for j in journals(settings.state) if not belongs(j, settings)}
    seen = snapshots(settings.state / "history", but=others)
    same = _same_input(settings, input_hash)
    return Status(n_items, n_labelled, seen, signals(seen), _forecast(settings, pool), same)


def _same_input(settings: Config, input_hash: str) -> bool:
    """Whether the newest run of the configuration read what is there now."""
    own = [j for j in journals(settings.state) if j.what == "run" and belongs(j, settings)]
    newest = [journal for journal in own if journal.status == "done"][-1:]
    read = [journal.notes.get(INPUT, {}).get("sha256") for journal in newest]
    return read == [input_hash]


def _forecast(settings: Config, pool: Pool) -> Forecast | str:
    """The forecast for one more batch and for twice the labels, or why there is none."""
    try:
        features, labels = labelled_part(pool)
    except InvalidInput as error:
        return error.message.replace("replay", "a forecast", 1)
    n = len(labels)
    options = settings.replay
    protocol = Protocol(options.model, options.model_options, allow_import=options.allow_import)
    return forecast(
        features, labels, protocol, sorted({n + (settings.selection.budget or n), 2 * n})
    )
