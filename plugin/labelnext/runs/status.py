"""status(config): how far labelling has come, and whether labelling on may bring little."""

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
from labelnext.journal.plan import Progress
from labelnext.pool.pool import Pool
from labelnext.quality.stopping import Signal, Snapshot, signals, snapshots
from labelnext.replays.curves import Protocol
from labelnext.replays.forecast import Forecast, forecast
from labelnext.replays.replay import labelled_part
from labelnext.runs.jobs import job_of


@dataclass(frozen=True)
class Status:
    """How far labelling has come.

    Attributes:
        n_items: items of the source now.
        n_labelled: labelled ones among them.
        runs: what each run saw, oldest first.
        signals: whether labelling on may bring little.
        forecast: what labelling on would bring, or why that cannot be said.
    """

    n_items: int
    n_labelled: int
    runs: list[Snapshot]
    signals: list[Signal]
    forecast: Forecast | str

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able data."""
        ahead = self.forecast
        return {
            "n_items": self.n_items,
            "n_labelled": self.n_labelled,
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
    """How much is labelled, how the scores moved from run to run, signals and a forecast.

    Args:
        config: as for `run`.
        adapter: one that is open already.
        progress: as for `run`.
    """
    settings = loaded(config)
    with opened(settings, adapter, progress) as platform:
        n_items, n_labelled, pool = job_of(settings, platform, progress).labelled()
    seen = snapshots(settings.state / "history")
    return Status(n_items, n_labelled, seen, signals(seen), _forecast(settings, pool))


def _forecast(settings: Config, pool: Pool) -> Forecast | str:
    """At one more batch, and at twice the labels."""
    try:
        features, labels = labelled_part(pool)
    except InvalidInput as error:
        return error.message.replace("replay", "a forecast", 1)
    n = len(labels)
    options = settings.replay
    protocol = Protocol(options.model, options.model_options)
    return forecast(
        features, labels, protocol, sorted({n + (settings.selection.budget or n), 2 * n})
    )
