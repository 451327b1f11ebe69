"""push(config, predictions, version): store a model's predictions where the items are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from labelnext.adapter.capabilities import Capability, can, missing_capability
from labelnext.adapter.protocol import Adapter, TakesPredictions
from labelnext.adapter.registry import able, open_adapter
from labelnext.config.config import Config
from labelnext.config.opened import loaded, opened
from labelnext.config.places import check_places
from labelnext.errors import InvalidInput, LabelnextError
from labelnext.journal.plan import Progress
from labelnext.pool.pool import Pool
from labelnext.ranking.recipe import known_reasons
from labelnext.runs.exchange import Exchange, carried_out, exchanged
from labelnext.support.refused import refusals_told

_BY_PROBE = "Runs rank by the probe; without source.model, they rank by stored predictions."
_PLAIN = (
    "a push knows no options of source: write a table with item_id (or name its column by --key) "
    "and a column of probabilities for each class."
)


@refusals_told()
def push(
    config: Config | Path | str | Mapping[str, Any],
    predictions: Pool | Path | str,
    version: str,
    *,
    key: str | None = None,
    adapter: Adapter | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Exchange:
    """Store a model's predictions on the platform that holds the items, matched by id.

    In Label Studio they are predictions of a model version of their own, in FiftyOne a field.
    `undo` takes them back.

    Args:
        config: a checked configuration, the path of a YAML file, or its content as a mapping.
        predictions: a file or folder in any format that the files adapter reads, or a pool.
        version: name of the model version or field.
        key: column of the file that holds the items' ids, as `source.key` of files.
        adapter: an open adapter for the source; if None, one from the configuration.
        dry_run: report what would be stored, and store nothing.
        progress: called with a stage, how much is done, and of how much (None if unknown).

    Raises:
        ConfigError: if the source can't take predictions, or something is missing.
        InvalidInput: if no item is there, or the predictions don't fit.
        WriteRefused: if the version is taken by predictions that push didn't store.
        Unavailable: if a server or database does not answer.
        WriteFailed: if it was interrupted; `resume` finishes it, `undo` undoes it.
    """
    settings = loaded(config)
    check_places(settings)
    with opened(settings, adapter, progress) as platform:
        capability = Capability.TAKES_PREDICTIONS
        if not can(platform, capability):
            instead = "Files are read anew in each run: name the file in source.path."
            known = able(capability)
            raise missing_capability("source.adapter", platform.name, capability, known, instead)
        pool = predictions
        if not isinstance(pool, Pool):
            pool = _read(pool, key, progress)
        plan = cast("TakesPredictions", platform).plan_predictions(pool, version)
        if not plan.steps:
            plan = replace(plan, next_steps=())
        elif settings.source.probe is not None:
            plan = replace(plan, next_steps=(_BY_PROBE,))
        journal = carried_out(settings, "push", plan, platform, dry_run)
        stored = sum(step.n_items for step in plan.steps)
        counts = {"in the file": len(pool), "to store" if dry_run else "stored": stored}
        nothing = f"Nothing to store: no prediction of the file can be stored in {plan.target}."
        return exchanged("push", dry_run, plan, journal, counts, nothing, pool.notices)


def _read(path: Path | str, key: str | None, progress: Progress | None) -> Pool:
    """The pool of a file of predictions; errors name only what can be set for a push."""
    where = Path(path).absolute() if "://" not in str(path) else path
    try:
        pool = open_adapter("files", key=key, progress=progress, path=where).read()
        if why := known_reasons(pool):
            raise InvalidInput(f"the file must hold predictions; got none{why}.", hint=_PLAIN)
    except LabelnextError as error:
        if "source." in (error.hint or ""):
            cures = re.split(r"; |, or ", (error.hint or "").rstrip("."))
            error.hint = "; ".join([*(cure for cure in cures if "source." not in cure), _PLAIN])
        raise
    return pool


__all__ = ["push"]
