"""The steps of a plan, done and taken back.

The steps, in order: `register` (from here on `dataset.delete_run` can clean up), `scores`,
`objects` where asked for, `index`, `views`, and `predictions` for pre-labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from labelnext.adapter.protocol import Context
from labelnext.errors import WriteFailed, WriteRefused
from labelnext.journal.carry_out import Performer
from labelnext.journal.journal import Journal
from labelnext.journal.lock import hold
from labelnext.journal.plan import Step
from labelnext.support.started import CONFIG, how
from labelnext.support.words import counted
from labelnext_adapters.fiftyone.database.connection import planned_dataset, talking
from labelnext_adapters.fiftyone.database.fields import (
    PREFIX,
    add_field,
    bulk_writer,
    delete_field,
    documents,
    frames_of,
    items_of,
    noted,
    with_field,
    without_bars,
)
from labelnext_adapters.fiftyone.database.halves import remove_halves
from labelnext_adapters.fiftyone.database.lean import collector_paused
from labelnext_adapters.fiftyone.database.object_scores import (
    refuse_foreign_attribute,
    remove_scores,
    restore_attributes,
    scores_before,
    write_scores,
)
from labelnext_adapters.fiftyone.database.views import (
    renamed_views,
    restore_view,
    save_views,
    view_before,
    view_names,
)
from labelnext_adapters.fiftyone.read.own_runs import (
    refuse_foreign,
    refuse_gone,
    registered,
    renamed,
)
from labelnext_adapters.fiftyone.write import pushed

_CHUNK = 2_000  # items at once: with more of them alive, Python's cycle collector takes over
_AT_ONCE = 100  # items in a statement
_PARTS = ("score", "priority", "rank")


def rename_whole(dataset: Any, run: str, new: str) -> None:
    """Rename a run of ours with all that it made; raise WriteFailed where FiftyOne could not."""
    dataset.rename_run(run, new)  # FiftyOne logs errors of its hooks and goes on
    field = registered(dataset, new).field
    if field.removeprefix(PREFIX) != new or dataset.get_field(field) is None:
        raise WriteFailed(f"run {run} of {dataset.name} must be renamed as a whole; it was not.")


class FiftyOnePerformer(Performer):
    """Does and takes back the steps of one journal.

    Args:
        journal: of the run; its id marks what it wrote.
        context: for progress.
    """

    def __init__(self, journal: Journal, context: Context) -> None:
        self.journal = journal
        self.context = context
        self.progress = context.progress
        self._prelabels = pushed.PushedPerformer(context)

    def held(self, journal: Journal) -> AbstractContextManager[object]:
        """Two state folders may name one dataset; the machine's own folder tells them so."""
        run, target = journal.plan.run, journal.plan.target
        datasets = [step.payload["dataset_id"] for step in journal.plan.steps]
        if not datasets:
            return nullcontext()
        path = Path(gettempdir()) / f"labelnext-fiftyone-{datasets[0]}-{run}.lock"
        refusal = f"another process writes run {run} of {target}: run"
        return hold(path, journal.run_id, refusal, leave=False)

    def snapshot(self, step: Step) -> Any:
        """What is there now, as JSON."""
        if step.kind == pushed.KIND:
            return self._prelabels.snapshot(step)
        with talking(), without_bars():
            dataset, run, field = _whole(step)
            match step.kind:
                case "register":
                    return _registered_before(dataset, run)
                case "scores":
                    return _scores_before(dataset, field)
                case "objects":
                    return {path: scores_before(dataset, path) for path in step.payload["paths"]}
                case "index":
                    return f"{field}.rank" in dataset.list_indexes()
                case _:
                    return {name: view_before(dataset, name) for name in view_names(run)}

    def perform(self, step: Step) -> None:
        """Do the step; a second time changes nothing more."""
        if step.kind == pushed.KIND:
            self._prelabels.perform(step)
            return
        with talking(), without_bars():
            dataset, run, field = _whole(step)
            self._refuse_renamed(dataset, run)
            refuse_foreign(dataset, run, field)
            if step.kind != "register":
                refuse_gone(dataset, step)
            match step.kind:
                case "register":
                    self._register(dataset, step.payload)
                case "scores":
                    _declare(dataset, field)
                    values, stale = _documents(step.payload), step.payload["stale"]
                    if lost := self._write(dataset, field, values, stale):
                        line = f"Skipped {counted(lost, 'item')} deleted meanwhile."
                        self.journal.record("remarks", lines=[line])
                case "objects":
                    self._write_objects(dataset, step.payload)
                case "index":
                    dataset.create_index(f"{field}.rank")
                case "views":
                    items = items_of(dataset, registered(dataset, run))
                    save_views(dataset, run, items, step.payload["batch"])

    def restore(self, step: Step, before: Any) -> list[str]:
        """Put back what was there."""
        if step.kind == pushed.KIND:
            with talking():
                dataset = planned_dataset(step, "the run was", "rank")
                self._refuse_newer(dataset, self.journal.plan.run)
            return self._prelabels.restore(step, before)
        with talking(), without_bars():
            dataset, run, field = _whole(step)
            self._rename_back(dataset, run, field)
            self._refuse_newer(dataset, run)
            refuse_foreign(dataset, run, field)
            match step.kind:
                case "register":
                    _restore_run(dataset, run, before)
                case "scores":
                    return self._restore_scores(dataset, field, step.payload, before)
                case "objects":
                    return restore_attributes(dataset, before)
                case "index":
                    if not before and f"{field}.rank" in dataset.list_indexes():
                        dataset.drop_index(f"{field}.rank")
                case "views":
                    kept = [f"Kept {what}." for what in renamed_views(dataset, run)]
                    for name in view_names(run):
                        restore_view(dataset, name, before[name])
                    return kept
        return []

    def _other_name(self, dataset: Any, run: str) -> str | None:
        """What the run was renamed to in FiftyOne, which takes field and views along, or None."""
        for name in dataset.list_runs():
            config = registered(dataset, name)
            if name != run and config is not None and config.journal == self.journal.run_id:
                return str(name)
        return None

    def _refuse_renamed(self, dataset: Any, run: str) -> None:
        name = self._other_name(dataset, run)
        if name is not None:
            raise WriteRefused(
                f"run {run} of {dataset.name} must have the name that it was written by; it "
                f"was renamed to {name!r} in FiftyOne.",
                hint=f"{how('undo', CONFIG)} takes it back, dataset.rename_run({name!r}, {run!r}) "
                "renames it back.",
            )

    def _rename_back(self, dataset: Any, run: str, field: str) -> None:
        """Give a renamed run its name back, so that it can be taken back as it was written."""
        name = self._other_name(dataset, run)
        if name is None:
            return
        if run in dataset.list_runs():
            raise WriteRefused(
                f"run {name} of {dataset.name} must be free to get its name {run} back; another "
                "run has that name now.",
                hint=f"dataset.delete_run({name!r}) deletes it with all that it made.",
            )
        refuse_foreign(dataset, run, field)
        rename_whole(dataset, name, run)

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

    def _register(self, dataset: Any, payload: Mapping[str, Any]) -> None:
        """Register the run on its batch, so that `dataset.load_run_view` gives it."""
        from labelnext_adapters.fiftyone.runs import LabelnextRunConfig

        run, batch = payload["run"], payload["batch"]
        config = LabelnextRunConfig(
            field=payload["field"],
            views=list(view_names(run)),
            journal=self.journal.run_id,
            state=str(self.journal.path.parent.resolve()),
            **payload["config"],
        )
        items = dataset if batch is None else items_of(dataset, config).select(batch, ordered=True)
        items.register_run(run, config, overwrite=True, cleanup=False)

    def _write_objects(self, dataset: Any, payload: Mapping[str, Any]) -> None:
        """Set the attribute of this run, and remove that of an earlier one from other labels."""
        path, scores = payload["path"], payload["scores"]
        for other in payload["paths"]:
            if other != path:
                remove_scores(dataset, other)
        if path is None:
            return
        refuse_foreign_attribute(dataset, path)
        changed = len(scores) - write_scores(dataset, path, scores)
        if changed:
            line = f"{changed} samples got no scores of objects: their labels changed meanwhile."
            self.journal.record("remarks", lines=[line])

    def _restore_scores(
        self, dataset: Any, field: str, payload: Mapping[str, Any], before: Mapping[str, Any] | None
    ) -> list[str]:
        if dataset.get_field(field) is None and before is None:
            return [f"Kept field {name}, which was {field}." for name in renamed(dataset)]
        if before is None:
            delete_field(dataset, field)
            return []
        _declare(dataset, field)
        had = dict(zip(before["ids"], before["documents"], strict=True))
        gone = sorted({*payload["ids"], *payload["stale"]} - had.keys())
        self._write(dataset, field, had, gone)
        return []

    def _write(
        self, dataset: Any, field: str, values: Mapping[str, Any], clear: Sequence[str]
    ) -> int:
        """Set the field on the named items, and remove it from others, by id.

        Returns how many of the named items are gone.
        """
        write, (_, inside) = bulk_writer(dataset, field), documents(dataset, field)
        if write is None:
            _set_values(dataset, field, values, clear)
            return 0
        now = datetime.now(UTC)
        named = [(sorted(values), values), (sorted({*clear} - values.keys()), None)]
        done, n, found = 0, sum(len(ids) for ids, _ in named), 0
        for ids, new in named:
            for start in range(0, len(ids), _CHUNK):
                self.context.report("write scores", done, n)
                part = ids[start : start + _CHUNK]
                with collector_paused():
                    written = write([*_updates(part, new, inside, now)], part)
                found += written if new is not None else 0
                done += len(part)
        dataset.sync_last_modified_at(include_frames=field.startswith(PREFIX))
        return len(values) - found


_CLASS = "DynamicEmbeddedDocument"


def _updates(
    ids: Sequence[str], values: Mapping[str, Any] | None, inside: str, now: datetime
) -> Iterator[dict[str, Any]]:
    """What sets the field on items, or removes it: some items a statement.

    Ids rise with the place in the file, so sorted ones take the database a third of the time, and
    statements for 100 items less again.
    """
    from bson import ObjectId

    for start in range(0, len(ids), _AT_ONCE):
        part = ids[start : start + _AT_ONCE]
        keys = [ObjectId(bytes.fromhex(item)) for item in part]  # of a text it takes twice as long
        query: dict[str, Any] = {"_id": {"$in": keys}}
        if values is None:
            query[inside] = {"$exists": True}
            new: Any = {"$unset": {inside: ""}, "$set": {"last_modified_at": now}}
        else:
            parts = {"$literal": [{"_cls": _CLASS, **values[item]} for item in part]}
            where = {"$indexOfArray": [{"$literal": keys}, "$_id"]}
            own = {"$arrayElemAt": [parts, where]}
            new = [{"$set": {inside: own, "last_modified_at": now}}]
        yield {"q": query, "u": new, "multi": True}


def _set_values(dataset: Any, field: str, values: Mapping[str, Any], clear: Sequence[str]) -> None:
    import fiftyone as fo

    items = frames_of(dataset) if field.startswith(PREFIX) else dataset
    made = {i: fo.DynamicEmbeddedDocument(**parts) for i, parts in values.items()}
    items.set_values(field.removeprefix(PREFIX), {**made, **dict.fromkeys(clear)}, key_field="id")


def _whole(step: Step) -> tuple[Any, str, str]:
    """The dataset, run and field of a step, without halves that an interrupted write left."""
    dataset = planned_dataset(step, "the run was", "rank")
    run, field = str(step.payload["run"]), str(step.payload["field"])
    remove_halves(dataset, run)
    return dataset, run, field


def _documents(payload: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    n = len(payload["ids"])
    rows = enumerate(zip(payload["ids"], payload["scores"], strict=True))
    return {i: {"score": s, "priority": 1 - at / n, "rank": at + 1} for at, (i, s) in rows}


def _declare(dataset: Any, field: str) -> None:
    """The field and its parts in the schema, so that the App and `values` know them."""
    import fiftyone as fo
    from fiftyone.core.odm import create_field

    from labelnext_adapters.fiftyone.database.fields import MARKER

    kinds = (fo.FloatField, fo.FloatField, fo.IntField)
    add_field(
        dataset,
        field,
        fo.EmbeddedDocumentField,
        embedded_doc_type=fo.DynamicEmbeddedDocument,
        fields=[create_field(part, kind) for part, kind in zip(_PARTS, kinds, strict=True)],
        description="A ranking by labelnext: rank 1 is next.",
        info={MARKER: "made by labelnext; dataset.delete_run takes it away"},
    )


def _registered_before(dataset: Any, run: str) -> dict[str, Any] | None:
    from bson import json_util

    if registered(dataset, run) is None:
        return None
    info = dataset.get_run_info(run)
    moment = info.timestamp.isoformat() if info.timestamp else None
    view = noted(dataset.load_run_view(run))  # FiftyOne may copy its frames anew
    stages = None if view is dataset else view._serialize(include_uuids=False)
    return {
        "config": info.config.serialize(),
        "version": info.version,
        "timestamp": moment,
        "stages": None if stages is None else [json_util.dumps(stage) for stage in stages],
    }


def _restore_run(dataset: Any, run: str, before: Mapping[str, Any] | None) -> None:
    import fiftyone as fo
    import fiftyone.core.runs as fors
    from bson import json_util

    if before is None:
        if run in dataset.list_runs():
            fors.Run.delete_run(dataset, run, cleanup=False)
        return
    moment = before["timestamp"] and datetime.fromisoformat(before["timestamp"])
    config = fors.RunConfig.from_dict(dict(before["config"]))
    info = fors.RunInfo(run, version=before["version"], timestamp=moment, config=config)
    items = dataset
    if before["stages"] is not None:
        stages = [json_util.loads(stage) for stage in before["stages"]]
        items = noted(fo.DatasetView._build(dataset, stages))
    fors.Run.save_run_info(items, info, overwrite=True, cleanup=False)


def _scores_before(dataset: Any, field: str) -> dict[str, Any] | None:
    """The field of all items that have it; None if the dataset does not."""
    if dataset.get_field(field) is None:
        return None
    scores = with_field(dataset, field)
    values = [{part: stored.get(part) for part in _PARTS} for stored in scores.values()]
    return {"ids": list(scores), "documents": values}
