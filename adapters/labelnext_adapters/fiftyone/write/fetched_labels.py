"""Labels that were fetched: one field of our own, written, compared, and put back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from labelnext.adapter.batch import Kind, Labels, Mark
from labelnext.adapter.protocol import Context
from labelnext.errors import InvalidInput, WriteRefused
from labelnext.journal.carry_out import Performer
from labelnext.journal.plan import Plan, Step
from labelnext.support.words import counted
from labelnext_adapters.fiftyone.database.connection import planned_dataset, talking
from labelnext_adapters.fiftyone.database.fields import check_field_name
from labelnext_adapters.fiftyone.database.marks import (
    CLASSES,
    LISTED,
    label_of,
    mask_of_label,
    own_id,
    read_marks,
)
from labelnext_adapters.fiftyone.read.fetched import LABELS_MARKER, fetched_fields

KIND = "labels"  # of the step
_SAME = 1e-6  # of a box's sides: percent and back again costs digits


def check_label_field(dataset: Any, field: str, kind: Kind | None = None) -> None:
    """Raise unless labels can be fetched into that field.

    Args:
        dataset: a FiftyOne dataset.
        field: its name.
        kind: what it must hold, if it is there; anything of ours when None.

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
    name = existing.document_type.__name__
    if kind is not None and name != CLASSES[kind]:
        raise InvalidInput(
            f"send.field must hold {CLASSES[kind]}; {field} of {dataset.name} holds {name}.",
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
    check_label_field(dataset, field, labels.kind)
    with talking():
        known = set(collection.values("id"))
        now = _marks(dataset, field, labels) if dataset.get_field(field) is not None else {}
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
        payload = {**where, "kind": labels.kind, "labels": changed, "clear": clear}
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

        dataset, field = planned_dataset(step, "the labels were", "fetch"), step.payload["field"]
        kind = _kind_of(step)
        check_label_field(dataset, field, kind)
        with talking():
            if dataset.get_field(field) is None:
                dataset.add_sample_field(
                    field,
                    fo.EmbeddedDocumentField,
                    embedded_doc_type=getattr(fo, CLASSES[kind]),
                    description="What people said of samples that labelnext sent.",
                    info={LABELS_MARKER: "made by labelnext fetch"},
                )
            values = {i: _label(rows, kind) for i, rows in step.payload["labels"].items()}
            _write(dataset, field, {**values, **dict.fromkeys(step.payload["clear"])})

    def restore(self, step: Step, before: Any) -> list[str]:
        """Put back what the field held; returns what had to stay."""
        import fiftyone as fo

        dataset, field = planned_dataset(step, "the labels were", "fetch"), step.payload["field"]
        if dataset.get_field(field) is None:
            return []
        check_label_field(dataset, field)
        wanted = {*step.payload["labels"], *step.payload["clear"]}
        made = getattr(fo, CLASSES[_kind_of(step)])
        old = {i: made.from_dict(d, extended=True) for i, d in (before or {}).items()}
        with talking():
            _write(dataset, field, {i: old.get(i) for i in wanted})
            left = dataset.exists(field).count()
            if before is None and left == 0:
                dataset.delete_sample_field(field)
        if before is None and left:
            return [f"Kept field {field}, which has other labels on {counted(left, 'sample')}."]
        return []


def _kind_of(step: Step) -> Kind:
    """What the labels of a step are; journals of earlier versions tell items from boxes alone."""
    kind: Kind = "items" if step.payload.get("unit") == "items" else "box"
    return step.payload.get("kind", kind)  # type: ignore[no-any-return]


def fetch_labels(dataset: Any, field: str) -> dict[str, Any]:
    """The label of each sample that has one in that field."""
    ids, labels = dataset.exists(field).values(["id", field])
    return dict(zip(ids, labels, strict=True))


def _write(dataset: Any, field: str, values: Mapping[str, Any]) -> None:
    known = set(dataset.values("id"))  # samples may have been deleted since
    present = {i: value for i, value in values.items() if i in known}
    if present:
        dataset.set_values(field, present, key_field="id")


def _label(rows: Sequence[list[Any]], kind: Kind) -> Any:
    return label_of([Mark.from_row(row) for row in rows], kind)


def _marks(dataset: Any, field: str, labels: Labels) -> dict[str, tuple[Mark, ...]]:
    """What the field holds now, by sample."""
    held, kind = dataset.exists(field), labels.kind
    listed = LISTED.get(CLASSES[kind])
    path = f"{field}.{listed}" if listed else field
    read = read_marks(held, path, kind, sure=False)
    now = {i: marks or () for i, marks in zip(held.values("id"), read, strict=True)}
    if kind != "mask":
        return now
    for sample, label in fetch_labels(dataset, field).items():
        size = next((m.mask["size"] for m in labels.known.get(sample, ()) if m.mask), None)
        if size is not None:
            masks = [mask_of_label(d, size[::-1]) if d.has_mask else None for d in label.detections]
            drawn = zip(now[sample], masks, strict=True)
            now[sample] = tuple(replace(mark, box=None, mask=mask) for mark, mask in drawn)
    return now


def _same(now: Sequence[Mark] | None, marks: Sequence[Mark]) -> bool:
    if now is None or [m.label for m in now] != [m.label for m in marks]:
        return False
    return all(_alike(old, new) for old, new in zip(now, marks, strict=True))


def _alike(old: Mark, new: Mark) -> bool:
    if own_id(new) not in (None, old.mark_id) or old.mask != new.mask:
        return False
    if [len(path) for path in old.paths] != [len(path) for path in new.paths]:
        return False
    numbers = [
        [*(mark.box or ()), *(value for path in mark.paths for point in path for value in point)]
        for mark in (old, new)
    ]
    return all(abs(a - b) < _SAME for a, b in zip(*numbers, strict=True))
