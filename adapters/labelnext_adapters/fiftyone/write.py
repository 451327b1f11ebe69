"""A Ranking to one embedded field, its index, two saved views and a custom run; and back.

The steps, in order: `register` (from here on `dataset.delete_run` can clean up), `scores`,
`index`, `views`.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from labelnext.adapter import Context
from labelnext.errors import InvalidInput, WriteRefused, listed
from labelnext.journal import Journal, Plan, Step
from labelnext.ranking import Ranking
from labelnext_adapters.fiftyone.columns import fetch
from labelnext_adapters.fiftyone.connection import load_dataset, talking
from labelnext_adapters.fiftyone.read import keyed
from labelnext_adapters.fiftyone.views import (
    VIEW_LIMIT,
    restore_view,
    same_view,
    save_views,
    view_before,
    view_names,
)

_CHUNK = 2_000  # updates at once: with more of them alive, Python's cycle collector takes over
_PARTS = ("score", "priority", "rank")


def check_run_name(run: str) -> None:
    """Raise InvalidInput unless a field can have that name."""
    import fiftyone as fo

    if not run.isidentifier() or run.startswith("_") or run == "frames" or hasattr(fo.Sample, run):
        raise InvalidInput(
            "write.run must be a name for a new field: letters, digits and _, not beginning with "
            f"a digit or _, and none of FiftyOne's own; got {run!r}.",
            hint="labelnext is a good one.",
        )


def refuse_foreign(dataset: Any, run: str) -> None:
    """Raise WriteRefused if a field, run or view of that name is not labelnext's."""
    from labelnext_adapters.fiftyone.runs import is_ours

    hint = "choose another write.run."
    if dataset.get_field(run) is not None and not is_ours(dataset, run):
        raise WriteRefused(
            f"field {run} of {dataset.name} must be labelnext's own; it is not.", hint=hint
        )
    config = registered(dataset, run)
    if run in dataset.list_runs() and config is None:
        raise WriteRefused(
            f"custom run {run} of {dataset.name} must be labelnext's own; it is not.", hint=hint
        )
    owned = set(config.views) if config else set()
    for name in view_names(run):
        taken = same_view(dataset, name)
        if taken is not None and taken not in owned:
            raise WriteRefused(
                f"saved view {taken!r} of {dataset.name} must be labelnext's own; it is not.",
                hint=hint,
            )


def registered(dataset: Any, run: str) -> Any:
    """The configuration of our run of that name; None if there is none or it is another's."""
    from labelnext_adapters.fiftyone.runs import LabelnextRunConfig

    if run not in dataset.list_runs():
        return None
    config = dataset.get_run_info(run).config
    return config if isinstance(config, LabelnextRunConfig) else None


def make_plan(
    collection: Any, ranking: Ranking, run: str, key: str | None, details: Mapping[str, Any]
) -> Plan:
    """What writing the ranking would do.

    Raises:
        InvalidInput: if the run's name cannot be a field, or the ranking holds unknown items.
        WriteRefused: if something of that name is not labelnext's.
    """
    check_run_name(run)
    dataset = collection._root_dataset
    with talking():
        refuse_foreign(dataset, run)
        columns = fetch(collection, ["id", key] if key else ["id"])
        known = registered(dataset, run) is not None
        earlier = dataset.exists(run).values("id") if dataset.get_field(run) is not None else []
    ids = keyed(columns["id"], columns[key] if key else None, key)
    samples = dict(zip(ids, columns["id"], strict=True))
    unknown = [i for i in ranking.pool_order.tolist() if i not in samples]
    if unknown:
        raise InvalidInput(
            f"ranking must hold samples of {dataset.name}; {len(unknown)} are not: "
            f"{listed(unknown)}."
        )
    rows = ranking.pool_rows()
    ranked = [samples[row["item_id"]] for row in rows]
    stale = sorted(set(earlier) - set(ranked))
    steps: tuple[Step, ...] = ()
    if rows or stale or known:
        scores = [row["score"] for row in rows]
        steps = _steps(dataset, run, ranked, scores, stale, len(ranking), details)
    return Plan("fiftyone", run, dataset.name, steps, next_steps=_next_steps(dataset, run, steps))


def _steps(
    dataset: Any,
    run: str,
    ranked: list[str],
    scores: list[float | None],
    stale: list[str],
    n_batch: int,
    details: Mapping[str, Any],
) -> tuple[Step, ...]:
    where = {"dataset": dataset.name, "dataset_id": str(dataset._doc.id), "run": run}
    config = {**details, "n_ranked": len(ranked), "n_batch": n_batch}
    batch, everything = view_names(run)
    cleared = f", clear it on {len(stale)} no longer ranked" if stale else ""
    return (
        Step("register", f"Register the custom run {run}", 0, {**where, "config": config}),
        Step(
            "scores",
            f"Set {run}.score, .priority and .rank on {len(ranked)} samples{cleared}",
            len(ranked) + len(stale),
            {**where, "ids": ranked, "scores": scores, "stale": stale},
        ),
        Step("index", f"Create an index on {run}.rank", 0, where),
        Step(
            "views",
            f"Save the views {batch} ({n_batch} samples) and {everything} ({len(ranked)})",
            n_batch,
            {**where, "batch": ranked[:n_batch] if n_batch <= VIEW_LIMIT else n_batch},
        ),
    )


def _next_steps(dataset: Any, run: str, steps: tuple[Step, ...]) -> tuple[str, ...]:
    if not steps:
        return ("Nothing is left to rank, so nothing is written.",)
    lines = [
        f"Open the App with `fiftyone app launch {shlex.quote(dataset.name)}` and pick the saved "
        f"view {view_names(run)[0]}."
    ]
    if not dataset.persistent:
        lines.append(
            "Set dataset.persistent = True to keep the dataset: FiftyOne deletes it at exit."
        )
    return tuple(lines)


class FiftyOnePerformer:
    """Does and takes back the steps of one journal.

    Args:
        journal: of the run; its id marks what it wrote.
        context: for progress.
    """

    def __init__(self, journal: Journal, context: Context) -> None:
        self.journal = journal
        self.context = context

    def snapshot(self, step: Step) -> Any:
        """What is there now, as JSON."""
        with talking():
            dataset = self._dataset(step)
            run = str(step.payload["run"])
            match step.kind:
                case "register":
                    return _registered_before(dataset, run)
                case "scores":
                    return _scores_before(dataset, run)
                case "index":
                    return f"{run}.rank" in dataset.list_indexes()
                case _:
                    return {name: view_before(dataset, name) for name in view_names(run)}

    def perform(self, step: Step) -> None:
        """Do the step; a second time changes nothing more."""
        with talking():
            dataset, run = self._dataset(step), step.payload["run"]
            refuse_foreign(dataset, run)
            match step.kind:
                case "register":
                    self._register(dataset, run, step.payload["config"])
                case "scores":
                    _declare(dataset, run)
                    self._write(dataset, run, _documents(step.payload), step.payload["stale"])
                case "index":
                    dataset.create_index(f"{run}.rank")
                case "views":
                    save_views(dataset, run, step.payload["batch"])

    def restore(self, step: Step, before: Any) -> list[str]:
        """Put back what was there."""
        with talking():
            dataset, run = self._dataset(step), step.payload["run"]
            self._refuse_newer(dataset, run)
            refuse_foreign(dataset, run)
            match step.kind:
                case "register":
                    _restore_run(dataset, run, before)
                case "scores":
                    self._restore_scores(dataset, run, step.payload, before)
                case "index":
                    if not before and f"{run}.rank" in dataset.list_indexes():
                        dataset.drop_index(f"{run}.rank")
                case "views":
                    for name in view_names(run):
                        restore_view(dataset, name, before[name])
        return []

    def _dataset(self, step: Step) -> Any:
        dataset = load_dataset(step.payload["dataset"])
        if str(dataset._doc.id) != step.payload["dataset_id"]:
            raise WriteRefused(
                f"dataset {dataset.name} must be the one that the run was planned for; it is "
                "another of that name.",
                hint="check FIFTYONE_DATABASE_URI, or rank again.",
            )
        return dataset

    def _refuse_newer(self, dataset: Any, run: str) -> None:
        """An older run's undo must not take away what a newer run wrote."""
        config = registered(dataset, run)
        earlier = (self.journal.befores.get(0) or {}).get("config", {}).get("journal")
        if config is not None and config.journal not in (self.journal.run_id, earlier):
            raise WriteRefused(
                f"run {run} of {dataset.name} must be as {self.journal.run_id} left it; it was "
                f"written again since, by {config.journal}.",
                hint="undo that one first.",
            )

    def _register(self, dataset: Any, run: str, config: Mapping[str, Any]) -> None:
        from labelnext_adapters.fiftyone.runs import LabelnextRunConfig

        views = list(view_names(run))
        made = LabelnextRunConfig(
            field=run, views=views, journal=self.journal.run_id, **dict(config)
        )
        dataset.register_run(run, made, overwrite=True, cleanup=False)

    def _restore_scores(
        self, dataset: Any, run: str, payload: Mapping[str, Any], before: Mapping[str, Any] | None
    ) -> None:
        if dataset.get_field(run) is None and before is None:
            return
        if before is None:
            dataset.delete_sample_field(run)
            return
        _declare(dataset, run)
        had = dict(zip(before["ids"], before["documents"], strict=True))
        gone = sorted({*payload["ids"], *payload["stale"]} - had.keys())
        self._write(dataset, run, had, gone)

    def _write(
        self, dataset: Any, run: str, documents: Mapping[str, Any], clear: Sequence[str]
    ) -> None:
        """Set the field on the named samples, and remove it from others, by id."""
        from bson import ObjectId

        write = bulk_writer(dataset)
        if write is None:
            _set_values(dataset, run, documents, clear)
            return
        now = datetime.now(UTC)

        def update(sample: str) -> dict[str, Any]:
            if sample in documents:
                new = {run: {"_cls": _CLASS, **documents[sample]}, "last_modified_at": now}
                return {"q": {"_id": ObjectId(sample)}, "u": {"$set": new}}
            gone = {"$unset": {run: ""}, "$set": {"last_modified_at": now}}
            return {"q": {"_id": ObjectId(sample), run: {"$exists": True}}, "u": gone}

        ids = [*documents, *clear]
        for start in range(0, len(ids), _CHUNK):
            self.context.report("write scores", start, len(ids))
            part = ids[start : start + _CHUNK]
            write([update(i) for i in part], part)
        dataset.sync_last_modified_at(include_frames=False)


_CLASS = "DynamicEmbeddedDocument"


def bulk_writer(dataset: Any) -> Callable[[list[dict[str, Any]], list[str]], None] | None:
    """Sends updates of samples as one command, half the work of FiftyOne's own bulk write.

    It needs two private parts of FiftyOne; None where they are gone.
    """
    import fiftyone as fo
    from pymongo.errors import BulkWriteError

    collection = getattr(dataset, "_sample_collection", None)
    reload = getattr(fo.Sample, "_reload_docs", None)
    if collection is None or reload is None:
        return None

    def write(updates: list[dict[str, Any]], ids: list[str]) -> None:
        answer = collection.database.command(
            "update", collection.name, updates=updates, ordered=False
        )
        if answer.get("writeErrors"):
            raise BulkWriteError(answer)
        reload(collection.name, sample_ids=ids)  # those in memory, as FiftyOne does

    return write


def _set_values(dataset: Any, run: str, documents: Mapping[str, Any], clear: Sequence[str]) -> None:
    import fiftyone as fo

    values = {i: fo.DynamicEmbeddedDocument(**parts) for i, parts in documents.items()}
    dataset.set_values(run, {**values, **dict.fromkeys(clear)}, key_field="id")


def _documents(payload: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    n = len(payload["ids"])
    rows = enumerate(zip(payload["ids"], payload["scores"], strict=True))
    return {i: {"score": s, "priority": 1 - at / n, "rank": at + 1} for at, (i, s) in rows}


def _declare(dataset: Any, run: str) -> None:
    """The field and its parts in the schema, so that the App and `values` know them."""
    import fiftyone as fo
    from fiftyone.core.odm import create_field

    from labelnext_adapters.fiftyone.runs import MARKER

    kinds = (fo.FloatField, fo.FloatField, fo.IntField)
    dataset.add_sample_field(
        run,
        fo.EmbeddedDocumentField,
        embedded_doc_type=fo.DynamicEmbeddedDocument,
        fields=[create_field(part, kind) for part, kind in zip(_PARTS, kinds, strict=True)],
        description="A ranking by labelnext: rank 1 is next.",
        info={MARKER: "made by labelnext; dataset.delete_run takes it away"},
    )


def _registered_before(dataset: Any, run: str) -> dict[str, Any] | None:
    if registered(dataset, run) is None:
        return None
    info = dataset.get_run_info(run)
    moment = info.timestamp.isoformat() if info.timestamp else None
    return {"config": info.config.serialize(), "version": info.version, "timestamp": moment}


def _restore_run(dataset: Any, run: str, before: Mapping[str, Any] | None) -> None:
    import fiftyone.core.runs as fors

    if before is None:
        if run in dataset.list_runs():
            fors.Run.delete_run(dataset, run, cleanup=False)
        return
    moment = before["timestamp"] and datetime.fromisoformat(before["timestamp"])
    config = fors.RunConfig.from_dict(dict(before["config"]))
    info = fors.RunInfo(run, version=before["version"], timestamp=moment, config=config)
    fors.Run.save_run_info(dataset, info, overwrite=True, cleanup=False)


def _scores_before(dataset: Any, run: str) -> dict[str, Any] | None:
    """The field of all samples that have it; None if the dataset does not."""
    if dataset.get_field(run) is None:
        return None
    columns = fetch(dataset.exists(run), ["id", *(f"{run}.{part}" for part in _PARTS)])
    parts = zip(*(columns[f"{run}.{part}"] for part in _PARTS), strict=True)
    documents = [dict(zip(_PARTS, row, strict=True)) for row in parts]
    return {"ids": columns["id"], "documents": documents}
