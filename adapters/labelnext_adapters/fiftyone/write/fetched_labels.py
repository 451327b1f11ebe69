"""Labels that were fetched: one field of our own, written, compared, and put back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labelnext.acquisition import Unit
from labelnext.adapter.batch import Labels, Mark
from labelnext.adapter.protocol import Context
from labelnext.errors import InvalidInput, WriteRefused
from labelnext.journal.carry_out import Performer
from labelnext.journal.plan import Plan, Step
from labelnext.support.words import counted
from labelnext_adapters.fiftyone.database.connection import planned_dataset, talking
from labelnext_adapters.fiftyone.database.fields import check_field_name
from labelnext_adapters.fiftyone.database.values import fetch
from labelnext_adapters.fiftyone.read.fetched import LABELS_MARKER, fetched_fields

KIND = "labels"  # of the step
_CLASSES: dict[Unit, str] = {"items": "Classification", "objects": "Detections"}
_SAME = 1e-6  # of a box's sides: percent and back again costs digits


def check_label_field(dataset: Any, field: str, unit: Unit | None = None) -> None:
    """Raise unless labels can be fetched into that field.

    Args:
        dataset: a FiftyOne dataset.
        field: its name.
        unit: what it must hold, if it is there; anything of ours when None.

    Raises:
        InvalidInput: if a field cannot have that name, or holds another kind of labels.
        WriteRefused: if labelnext did not make it.
    """
    check_field_name(field, "send.field must be a name for a new field", "labels")
    existing = dataset.get_field(field)
    if existing is None:
        return
    if field not in fetched_fields(dataset):
        raise WriteRefused(
            f"field {field} of {dataset.name} must be one that labelnext fetch made; it is not.",
            hint="choose another send.field.",
        )
    kind = existing.document_type.__name__
    if unit is not None and kind != _CLASSES[unit]:
        raise InvalidInput(
            f"send.field must hold {_CLASSES[unit]}; {field} of {dataset.name} holds {kind}.",
            hint="choose another send.field.",
        )


def plan_labels(collection: Any, labels: Labels, field: str) -> Plan:
    """What writing the labels would do: only what differs from what the field holds.

    Args:
        collection: a dataset, or a view: then only its samples get labels.
        labels: what people said.
        field: where it goes.

    Raises:
        InvalidInput: if a field cannot have that name, or holds another kind of labels.
        WriteRefused: if labelnext did not make it.
    """
    dataset = collection._root_dataset
    check_label_field(dataset, field, labels.unit)
    with talking():
        known = set(collection.values("id"))
        now = _marks(dataset, field, labels.unit) if dataset.get_field(field) is not None else {}
    changed = {
        i: [mark.to_row() for mark in marks]
        for i, marks in labels.known.items()
        if i in known and not _same(now.get(i), marks)
    }
    clear = sorted(i for i in labels.waiting if i in now and i in known)
    others = sum(i not in known for i in labels.known)
    steps = []
    if changed or clear:
        new = sum(i not in now for i in changed)
        counts = (
            (new, f"write {field} on {counted(new, 'sample')}"),
            (len(changed) - new, f"change it on {counted(len(changed) - new, 'sample')}"),
            (len(clear), f"clear it on {len(clear)} whose annotation is gone"),
        )
        what = ", ".join(text for n, text in counts if n)
        where = {"dataset": dataset.name, "dataset_id": str(dataset._doc.id), "field": field}
        payload = {**where, "unit": labels.unit, "labels": changed, "clear": clear}
        steps = [Step(KIND, what[:1].upper() + what[1:], len(changed) + len(clear), payload)]
    lines = [f"Skipped {counted(others, 'label')} of other samples."] if others else []
    if labels.known:
        lines.append(
            f"The next run leaves labelled samples out; gt_field: {field} lets it learn from them."
        )
    else:
        lines.append(f"Nothing is labelled yet in {labels.source}.")
    return Plan("fiftyone", field, dataset.name, tuple(steps), next_steps=tuple(lines))


class LabelsPerformer(Performer):
    """Does and takes back the step that writes fetched labels.

    Args:
        context: for progress.
    """

    def __init__(self, context: Context) -> None:
        self.progress = context.progress

    def snapshot(self, step: Step) -> Any:
        """What the field holds on the samples of the step; None where there is no field."""
        dataset, field = planned_dataset(step, "the labels were", "fetch"), step.payload["field"]
        with talking():
            if dataset.get_field(field) is None:
                return None
            columns = fetch_labels(dataset, field)
        wanted = {*step.payload["labels"], *step.payload["clear"]}
        return {i: label.to_dict(extended=True) for i, label in columns.items() if i in wanted}

    def perform(self, step: Step) -> None:
        """Write the labels; a second time changes nothing more."""
        import fiftyone as fo

        dataset, field, unit = (
            planned_dataset(step, "the labels were", "fetch"),
            step.payload["field"],
            step.payload["unit"],
        )
        check_label_field(dataset, field, unit)
        with talking():
            if dataset.get_field(field) is None:
                dataset.add_sample_field(
                    field,
                    fo.EmbeddedDocumentField,
                    embedded_doc_type=getattr(fo, _CLASSES[unit]),
                    description="What people said of samples that labelnext sent.",
                    info={LABELS_MARKER: "made by labelnext fetch"},
                )
            values = {i: _label(rows, unit) for i, rows in step.payload["labels"].items()}
            _write(dataset, field, {**values, **dict.fromkeys(step.payload["clear"])})

    def restore(self, step: Step, before: Any) -> list[str]:
        """Put back what the field held; returns what had to stay."""
        import fiftyone as fo

        dataset, field = planned_dataset(step, "the labels were", "fetch"), step.payload["field"]
        if dataset.get_field(field) is None:
            return []
        check_label_field(dataset, field)
        wanted = {*step.payload["labels"], *step.payload["clear"]}
        kind = getattr(fo, _CLASSES[step.payload["unit"]])
        old = {i: kind.from_dict(d, extended=True) for i, d in (before or {}).items()}
        with talking():
            _write(dataset, field, {i: old.get(i) for i in wanted})
            left = dataset.exists(field).count()
            if before is None and left == 0:
                dataset.delete_sample_field(field)
        if before is None and left:
            return [f"Kept field {field}, which has other labels on {counted(left, 'sample')}."]
        return []


def fetch_labels(dataset: Any, field: str) -> dict[str, Any]:
    """The label of each sample that has one in that field."""
    ids, labels = dataset.exists(field).values(["id", field])
    return dict(zip(ids, labels, strict=True))


def _write(dataset: Any, field: str, values: Mapping[str, Any]) -> None:
    known = set(dataset.values("id"))  # samples may have been deleted since
    present = {i: value for i, value in values.items() if i in known}
    if present:
        dataset.set_values(field, present, key_field="id")


def _label(rows: Sequence[list[Any]], unit: Unit) -> Any:
    import fiftyone as fo

    marks = [Mark.from_row(row) for row in rows]
    if unit == "items":
        return fo.Classification(label=marks[0].label)
    return fo.Detections(
        detections=[
            fo.Detection(label=mark.label, bounding_box=_sides(mark.box))
            for mark in marks
            if mark.box is not None
        ]
    )


def _sides(box: tuple[float, float, float, float]) -> list[float]:
    x1, y1, x2, y2 = box
    return [x1, y1, x2 - x1, y2 - y1]


def _marks(dataset: Any, field: str, unit: Unit) -> dict[str, tuple[Mark, ...]]:
    """What the field holds now, by sample."""
    inner = f"{field}.detections" if unit == "objects" else field
    parts = ("label", "bounding_box")[: 2 if unit == "objects" else 1]
    columns = fetch(dataset.exists(field), ["id", *(f"{inner}.{part}" for part in parts)])
    rows = zip(columns["id"], *(columns[f"{inner}.{part}"] for part in parts), strict=True)
    if unit == "items":
        return {i: (Mark(label),) for i, label in rows}
    return {
        i: tuple(
            Mark(name, (x, y, x + w, y + h))
            for name, (x, y, w, h) in zip(names or (), boxes or (), strict=True)
        )
        for i, names, boxes in rows
    }


def _same(now: Sequence[Mark] | None, marks: Sequence[Mark]) -> bool:
    if now is None or [m.label for m in now] != [m.label for m in marks]:
        return False
    return all(
        abs(a - b) < _SAME
        for old, new in zip(now, marks, strict=True)
        for a, b in zip(old.box or (), new.box or (), strict=True)
    )
