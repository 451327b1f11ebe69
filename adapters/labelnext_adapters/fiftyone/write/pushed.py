"""Predictions that a user pushes: one field of their own, written and put back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labelnext.adapter.predicted import check_one_version, class_names, rows_there
from labelnext.adapter.protocol import Context
from labelnext.errors import InvalidInput, WriteRefused
from labelnext.journal.carry_out import Performer
from labelnext.journal.plan import Plan, Step
from labelnext.pool.pool import Pool
from labelnext.support.words import counted
from labelnext_adapters.fiftyone.database.connection import planned_dataset, talking
from labelnext_adapters.fiftyone.database.fields import (
    PRELABELS,
    check_field_name,
    of_slices,
    refuse_read_only,
    slices_in,
)
from labelnext_adapters.fiftyone.database.values import fetch, keyed
from labelnext_adapters.fiftyone.options import FiftyOneSource
from labelnext_adapters.fiftyone.write.pushed_labels import (
    content_of,
    content_of_numbers,
    kind_of,
    labels_of,
)
from labelnext_adapters.fiftyone.write.put_back import fetch_labels, to_put_back, what_stays

KIND = "predictions"  # of the step
MARKER = "labelnext_predictions"  # key in the info of a field that holds pushed predictions
_CHUNK = 5_000  # samples


def plan_predictions(
    collection: Any, source: FiftyOneSource, key: str | None, pool: Pool, field: str
) -> Plan:
    """What storing the predictions of a pool in a field would do.

    Args:
        collection: a dataset or view.
        source: what of it is ranked.
        key: field that holds the items' ids; None for the samples' own.
        pool: the predictions.
        field: its name; one that labelnext push made gets the new predictions instead.

    Raises:
        InvalidInput: if no item is a sample, the classes aren't known, or a field can't have that
            name.
        WriteRefused: if labelnext push didn't make the field.
    """
    check_one_version(pool)
    if source.frames:
        raise InvalidInput("source.frames must be false for predictions to be pushed; got True.")
    dataset = collection._root_dataset
    kind = kind_of(pool)
    check_field(dataset, field, kind)
    with talking():
        columns = fetch(collection, ["id", key] if key else ["id"])
    item_ids = keyed(columns["id"], columns[key] if key else None, key)
    samples = dict(zip(item_ids, columns["id"], strict=True))
    rows, left_out = rows_there(pool, samples, f"dataset {dataset.name}", "sample")
    lost: list[str] = []
    classes: Sequence[str] = ()
    declared = True
    if pool.estimates is not None:
        content = content_of_numbers(pool, pool.estimates, rows)
    else:
        classes, declared = _classes(dataset, field, pool)
        names = class_names(pool, classes, "the dataset")
        content, lost = content_of(pool, rows, kind, names, classes)
    ids = [samples[str(pool.item_ids[row])] for row in content.pop("rows")]
    payload = {
        "dataset": dataset.name,
        "dataset_id": str(dataset._doc.id),
        "slice": source.slice or slices_in(collection),
        "field": field,
        "kind": kind,
        "classes": None if declared else list(classes),
        "ids": ids,
        **content,
    }
    what = f"Store predictions of {counted(len(ids), 'sample')} in field {field}"
    read = field in source.pred_fields
    next_step = (
        "The next run ranks by these predictions."
        if read
        else f"source.pred_field: {field} makes the next run rank by these predictions."
    )
    steps = (Step(KIND, what, len(ids), payload),) if ids else ()
    remarks = (*left_out, *lost)
    return Plan("fiftyone", field, dataset.name, steps, next_steps=(next_step,), left_out=remarks)


def check_field(dataset: Any, field: str, kind: str | None = None) -> None:
    """Raise unless predictions can be pushed into that field.

    Args:
        dataset: a FiftyOne dataset.
        field: its name.
        kind: name of FiftyOne's class that it must hold, if it is there; any when None.

    Raises:
        InvalidInput: if a field can't have that name, or holds another kind of predictions.
        WriteRefused: if labelnext push didn't make it, or somebody made it read-only.
    """
    check_field_name(field, "the version must be a name for a field", "predictions_v8")
    existing = dataset.get_field(field)
    if existing is None:
        return
    if MARKER not in (existing.info or {}):
        raise WriteRefused(
            f"field {field} of {dataset.name} must be one that labelnext push made; it is not.",
            hint="choose another version, which names the field.",
        )
    refuse_read_only(dataset, field)
    held = existing.document_type.__name__
    if kind not in (None, held):
        raise InvalidInput(
            f"field {field} of {dataset.name} must hold {kind} for these predictions; it holds "
            f"{held}.",
            hint="choose another version, which names the field.",
        )


class PushedPerformer(Performer):
    """Does and takes back the step that writes pushed predictions.

    Args:
        context: for progress.
    """

    def __init__(self, context: Context) -> None:
        self.progress = context.progress
        self._context = context

    def snapshot(self, step: Step) -> Any:
        """What the field holds, and the classes that it names; None where there is no field."""
        dataset, field = _dataset(step), step.payload["field"]
        check_field(dataset, field, step.payload["kind"])
        classes = dataset.classes.get(field)
        with talking():
            if dataset.get_field(field) is None:
                return {"values": None, "classes": classes}
            held = fetch_labels(_samples(dataset, step), field)
        values = {i: label.to_dict(extended=True) for i, label in held.items()}
        return {"values": values, "classes": classes}

    def perform(self, step: Step) -> None:
        """Make the field hold exactly these predictions; a second time changes nothing more."""
        import fiftyone as fo

        dataset, field, kind = _dataset(step), step.payload["field"], step.payload["kind"]
        check_field(dataset, field, kind)
        with talking():
            if dataset.get_field(field) is None:
                info, by = {MARKER: "made by labelnext push"}, "Predictions that labelnext push"
                if step.payload.get("prelabels"):
                    info[PRELABELS] = "pre-labels of the batch"
                    by = "Pre-labels that labelnext run"
                dataset.add_sample_field(
                    field,
                    fo.EmbeddedDocumentField,
                    embedded_doc_type=getattr(fo, kind),
                    description=f"{by} stored.",
                    info=info,
                )
            if step.payload["classes"] is not None:
                _declare(dataset, field, step.payload["classes"])
            samples = _samples(dataset, step)
            stale = {*fetch_labels(samples, field)} - {*step.payload["ids"]}
            values = zip(step.payload["ids"], labels_of(step.payload), strict=True)
            self._write(samples, field, {**dict(values), **dict.fromkeys(stale)})

    def restore(self, step: Step, before: Any) -> list[str]:
        """Put back what the field held; returns what had to stay."""
        import fiftyone as fo

        dataset, field = _dataset(step), step.payload["field"]
        if dataset.get_field(field) is None:
            return []
        check_field(dataset, field)
        kind = getattr(fo, step.payload["kind"])
        old = {i: kind.from_dict(d, extended=True) for i, d in (before["values"] or {}).items()}
        new = dict(zip(step.payload["ids"], labels_of(step.payload), strict=True))
        with talking():
            samples = _samples(dataset, step)
            written = {**dict.fromkeys(old), **new}
            values, changed = to_put_back(samples, field, written, old)
            self._write(samples, field, values)
            left = dataset.exists(field).count() if before["values"] is None else 0
            if before["values"] is None and left == 0:
                dataset.delete_sample_field(field)
            if step.payload["classes"] is not None and not left:
                _declare(dataset, field, before["classes"])
        if left > len(changed):
            return [f"Kept field {field}, which has predictions on {counted(left, 'sample')} more."]
        return what_stays(field, changed)

    def _write(self, samples: Any, field: str, values: Mapping[str, Any]) -> None:
        known = set(samples.values("id"))  # samples may have been deleted since
        ids = [i for i in values if i in known]
        for start in range(0, len(ids), _CHUNK):
            self._context.report("write predictions", start, len(ids))
            part = {i: values[i] for i in ids[start : start + _CHUNK]}
            samples.set_values(field, part, key_field="id")


def _dataset(step: Step) -> Any:
    return planned_dataset(step, "the predictions were", "push")


def _samples(dataset: Any, step: Step) -> Any:
    return of_slices(dataset, step.payload["slice"])


def _declare(dataset: Any, field: str, classes: Sequence[str] | None) -> None:
    """Name the classes of the field, in the order of its vectors; None takes the names away."""
    others = {name: given for name, given in dataset.classes.items() if name != field}
    dataset.classes = others if classes is None else {**others, field: list(classes)}
    dataset.save()


def _classes(dataset: Any, field: str, pool: Pool) -> tuple[Sequence[str], bool]:
    """The classes in the order that the dataset reads vectors in, and whether it names them."""
    declared = dataset.classes.get(field) or dataset.default_classes
    if declared:
        return declared, True
    if pool.classes is None:
        raise InvalidInput(
            "the predictions must name their classes; neither the file nor the dataset does.",
            hint="name the classes in the file, such as in the names of its columns, or set "
            "dataset.default_classes.",
        )
    return pool.classes, False


__all__ = ["KIND", "MARKER", "PushedPerformer", "check_field", "plan_predictions"]
