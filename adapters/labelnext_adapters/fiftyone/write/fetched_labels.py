"""Labels that were fetched: one field of our own, written, compared, and put back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from labelnext.adapter.batch import Kind, Labels, Mark
from labelnext.adapter.protocol import Context
from labelnext.errors import InvalidInput, WriteRefused
from labelnext.journal.carry_out import Performer
from labelnext.journal.plan import Plan, Step
from labelnext.support.words import counted
from labelnext_adapters.fiftyone.database.connection import planned_dataset, talking
from labelnext_adapters.fiftyone.database.fields import check_field_name, refuse_read_only
from labelnext_adapters.fiftyone.database.marks import (
    CLASSES,
    LISTED,
    label_of,
    marks_of_mask,
    mask_of_label,
    mask_of_marks,
    own_id,
    read_marks,
    targets_of,
)
from labelnext_adapters.fiftyone.read.fetched import LABELS_MARKER, fetched_fields
from labelnext_adapters.fiftyone.read.label_types import class_name
from labelnext_adapters.fiftyone.read.own_runs import run_config, run_names
from labelnext_adapters.fiftyone.write.put_back import fetch_labels, to_put_back, what_stays

KIND = "labels"  # of the step
SEGMENTED = "Segmentation"
_SAME = 1e-6  # of a box's sides: percent and back again costs digits


def check_label_field(
    dataset: Any, field: str, kind: Kind | None = None, *, segmented: bool = False
) -> None:
    """Raise unless labels can be fetched into that field.

    Args:
        dataset: a FiftyOne dataset.
        field: its name.
        kind: what it must hold, if it is there; anything of ours when None.
        segmented: whether masks are those of a segmentation.

    Raises:
        InvalidInput: if a field cannot have that name, or holds another kind of labels.
        WriteRefused: if labelnext did not make it, or somebody made it read-only.
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
    refuse_read_only(dataset, field)
    name = existing.document_type.__name__
    wanted = SEGMENTED if segmented else CLASSES.get(kind or "items")
    if kind is not None and name != wanted:
        raise InvalidInput(
            f"send.field must hold {wanted}; {field} of {dataset.name} holds {name}.",
            hint="choose another send.field.",
        )


def plan_labels(collection: Any, labels: Labels, field: str) -> Plan:
    """What writing the labels would do: only what differs from what the fields hold.

    Args:
        collection: a dataset, or a view: then only its samples get labels.
        labels: what people said.
        field: where it goes; labels of a further field go where that name and the field's say.

    Raises:
        InvalidInput: if a field cannot have that name, or holds another kind of labels.
        WriteRefused: if labelnext did not make it.
    """
    dataset = collection._root_dataset
    with talking():
        known = set(collection.values("id"))
    steps = [_step(dataset, labels, field, None, known)]
    for name, further in labels.further.items():
        steps.append(_step(dataset, further, f"{field}_{name}", name, known))
    others = sum(i not in known for i in labels.known)
    lines = [f"Skipped {counted(others, 'label')} of other samples."] if others else []
    if any(each.known for each in (labels, *labels.further.values())):
        lines.append(
            f"The next run leaves labelled samples out; gt_field: {field} lets it learn from them."
        )
    else:
        lines.append(f"Nothing is labelled yet in {labels.source}.")
    doing = tuple(step for step in steps if step is not None)
    return Plan("fiftyone", field, dataset.name, doing, next_steps=tuple(lines))


def _step(
    dataset: Any, labels: Labels, field: str, sent_as: str | None, known: Collection[str]
) -> Step | None:
    """What writing the labels of one field would do; None where there is nothing to do.

    Args:
        dataset: a FiftyOne dataset.
        labels: what people said.
        field: where it goes.
        sent_as: name of the field that was sent; None of the predictions.
        known: ids of the samples that may get labels.
    """
    targets = _targets(dataset, sent_as, labels.kind)
    check_label_field(dataset, field, labels.kind, segmented=targets is not None)
    if targets is not None:  # with regions of one class as one, as the field will hold them
        whole = {
            i: marks_of_mask(mask_of_marks(marks, targets), targets, _size(marks))
            for i, marks in labels.known.items()
        }
        labels = replace(labels, known=whole)
    elif labels.kind == "classes":
        labels = replace(labels, known=_with_ids(dataset, labels.known, sent_as))
    with talking():
        there = dataset.get_field(field) is not None
        labels = replace(labels, known=_typed(dataset, labels, field, sent_as))
        now = _marks(dataset, field, labels, targets) if there else {}
    changed = {
        i: [mark.to_row() for mark in marks]
        for i, marks in labels.known.items()
        if i in known and not _same(now.get(i), marks)
    }
    clear = sorted(i for i in labels.waiting if i in now and i in known)
    if not (changed or clear):
        return None
    new = sum(i not in now for i in changed)
    counts = (
        (new, f"write {{}} on {counted(new, 'sample')}"),
        (len(changed) - new, f"change {{}} on {counted(len(changed) - new, 'sample')}"),
        (len(clear), f"clear {{}} on {len(clear)} whose annotation is gone"),
    )
    what = ", ".join(text for n, text in counts if n)
    what = what.replace("{}", field, 1).replace("{}", "it")
    where = {"dataset": dataset.name, "dataset_id": str(dataset._doc.id), "field": field}
    payload = {**where, "kind": labels.kind, "labels": changed, "clear": clear}
    if targets is not None:
        payload["targets"] = {str(value): name for value, name in targets.items()}
    return Step(KIND, what[:1].upper() + what[1:], len(changed) + len(clear), payload)


def _targets(dataset: Any, sent_as: str | None, kind: Kind) -> dict[int, str] | None:
    """The classes of a segmentation by their pixels, if that is what was sent."""
    if kind != "mask" or sent_as is None or dataset.get_field(sent_as) is None:
        return None
    segmented = class_name(dataset.get_field(sent_as)) == SEGMENTED
    return targets_of(dataset, sent_as) if segmented else None


def _with_ids(
    dataset: Any, known: Mapping[str, tuple[Mark, ...]], sent_as: str | None
) -> dict[str, tuple[Mark, ...]]:
    """Lists of classes with the ids that the classes have where they were sent from."""
    fields = _sent_from(dataset, sent_as, CLASSES["classes"])
    if not fields:
        return dict(known)
    sent = dataset.select(list(known))
    with talking():
        held = read_marks(sent, f"{fields[0]}.{LISTED[CLASSES['classes']]}", "classes")
        ids = {(i, mark.label): mark.mark_id for i, marks in held.items() for mark in marks or ()}
    return {
        i: tuple(replace(mark, mark_id=ids.get((i, mark.label))) for mark in marks)
        for i, marks in known.items()
    }


def _sent_from(dataset: Any, sent_as: str | None, name: str) -> list[str]:
    """The fields of a class of FiftyOne's that the labels may have been sent from."""
    runs = [] if sent_as else [run_config(dataset, run).pred_field for run in run_names(dataset)]
    fields = [sent_as] if sent_as else dict.fromkeys(f for f in runs if isinstance(f, str))
    return [f for f in fields if class_name(dataset.get_field(f)) == name]


def _typed(
    dataset: Any, labels: Labels, field: str, sent_as: str | None
) -> dict[str, tuple[Mark, ...]]:
    """The labels with numbers as attributes of one type: whole ones if those sent were whole.

    Raises:
        InvalidInput: if the field holds whole numbers, and people entered another one.
    """
    inner = LISTED.get(CLASSES[labels.kind])
    said: dict[str, list[float]] = {}
    for name, value in (v for m in labels.known.values() for mark in m for v in _numbers(mark)):
        said.setdefault(name, []).append(value)
    types: dict[str, type] = {}
    for name, values in said.items():
        declared = class_name(dataset.get_field(f"{field}.{inner}.{name}"))
        odd = next((value for value in values if value != int(value)), None)
        if declared == "IntField" and odd is not None:
            raise InvalidInput(
                f"{name} must be a whole number, as {field} holds them; got {odd}.",
                hint="correct it where it was entered, or choose another send.field.",
            )
        sent = [
            value
            for each in _sent_from(dataset, sent_as, CLASSES[labels.kind])
            for value in dataset.distinct(f"{each}.{inner}.{name}")
        ]
        whole = odd is None and {type(value) for value in sent if value is not None} == {int}
        types[name] = (
            int if declared == "IntField" or (whole and declared != "FloatField") else float
        )
    return {
        i: tuple(
            replace(m, attributes={**m.attributes, **{n: types[n](v) for n, v in _numbers(m)}})
            for m in marks
        )
        for i, marks in labels.known.items()
    }


def _numbers(mark: Mark) -> list[tuple[str, float]]:
    """The attributes that are numbers; truth values are none."""
    said = mark.attributes.items()
    return [(n, v) for n, v in said if isinstance(v, (int, float)) and not isinstance(v, bool)]


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
        kind, targets = _kind_of(step), _targets_in(step)
        check_label_field(dataset, field, kind, segmented=targets is not None)
        with talking():
            if dataset.get_field(field) is None:
                dataset.add_sample_field(
                    field,
                    fo.EmbeddedDocumentField,
                    embedded_doc_type=getattr(fo, CLASSES[kind] if targets is None else SEGMENTED),
                    description="What people said of samples that labelnext sent.",
                    info={LABELS_MARKER: "made by labelnext fetch"},
                )
                if targets is not None:
                    dataset.mask_targets[field] = targets
                    dataset.save()
            _write(dataset, field, _written(step))

    def restore(self, step: Step, before: Any) -> list[str]:
        """Put back what the field held; returns what had to stay."""
        import fiftyone as fo

        dataset, field = planned_dataset(step, "the labels were", "fetch"), step.payload["field"]
        if dataset.get_field(field) is None:
            return []
        check_label_field(dataset, field)
        targets = _targets_in(step)
        made = getattr(fo, CLASSES[_kind_of(step)] if targets is None else SEGMENTED)
        old = {i: made.from_dict(d, extended=True) for i, d in (before or {}).items()}
        with talking():
            values, changed = to_put_back(dataset, field, _written(step), old)
            _write(dataset, field, values)
            left = dataset.exists(field).count()
            if before is None and left == 0:
                dataset.delete_sample_field(field)
                if targets is not None and dataset.mask_targets.pop(field, None):
                    dataset.save()
        if before is None and left > len(changed):
            return [f"Kept field {field}, which has other labels on {counted(left, 'sample')}."]
        return what_stays(field, changed)


def _kind_of(step: Step) -> Kind:
    """What the labels of a step are; journals of earlier versions tell items from boxes alone."""
    kind: Kind = "items" if step.payload.get("unit") == "items" else "box"
    return step.payload.get("kind", kind)  # type: ignore[no-any-return]


def _targets_in(step: Step) -> dict[int, str] | None:
    targets = step.payload.get("targets")
    return None if targets is None else {int(value): name for value, name in targets.items()}


def _write(dataset: Any, field: str, values: Mapping[str, Any]) -> None:
    known = set(dataset.values("id"))  # samples may have been deleted since
    present = {i: value for i, value in values.items() if i in known}
    if present:  # dynamic, so that attributes of objects are in the schema
        dataset.set_values(field, present, key_field="id", dynamic=True)


def _written(step: Step) -> dict[str, Any]:
    """The label that a step writes on each of its samples; None where it takes one away."""
    kind, targets = _kind_of(step), _targets_in(step)
    labels: dict[str, Any] = dict.fromkeys(step.payload["clear"])
    for sample, rows in step.payload["labels"].items():
        marks = [Mark.from_row(row) for row in rows]
        labels[sample] = label_of(marks, kind) if targets is None else mask_of_marks(marks, targets)
    return labels


def _marks(
    dataset: Any, field: str, labels: Labels, targets: Mapping[int, str] | None
) -> dict[str, tuple[Mark, ...]]:
    """What the field holds now, by sample."""
    held, kind = dataset.exists(field), labels.kind
    if targets is not None:
        stored = fetch_labels(dataset, field).items()
        return {i: marks_of_mask(label, targets, _size(labels.known.get(i))) for i, label in stored}
    listed = LISTED.get(CLASSES[kind])
    path = f"{field}.{listed}" if listed else field
    said = sorted({n for marks in labels.known.values() for m in marks for n in m.attributes})
    read = read_marks(held, path, kind, sure=False, attributes=said)
    now = {i: marks or () for i, marks in read.items()}
    if kind != "mask":
        return now
    for sample, label in fetch_labels(dataset, field).items():
        size = next((m.mask["size"] for m in labels.known.get(sample, ()) if m.mask), None)
        if size is not None:
            drawn = {d.id: mask_of_label(d, size[::-1]) for d in label.detections if d.has_mask}
            now[sample] = tuple(
                replace(mark, box=None, mask=drawn.get(str(mark.mark_id)))
                for mark in now.get(sample, ())
            )
    return now


def _size(marks: Sequence[Mark] | None) -> tuple[int, int]:
    """Width and height of the image of masks; 1, 1 without any."""
    height, width = next((m.mask["size"] for m in marks or () if m.mask), (1, 1))
    return width, height


def _same(now: Sequence[Mark] | None, marks: Sequence[Mark]) -> bool:
    if now is None or [m.label for m in now] != [m.label for m in marks]:
        return False
    return all(_alike(old, new) for old, new in zip(now, marks, strict=True))


def _alike(old: Mark, new: Mark) -> bool:
    if own_id(new) not in (None, old.mark_id) or old.mask != new.mask:
        return False
    if [len(path) for path in old.paths] != [len(path) for path in new.paths]:
        return False
    if old.attributes != new.attributes:
        return False
    numbers = [
        [
            mark.number or 0.0,
            *(mark.box or ()),
            *(value for path in mark.paths for point in path for value in point),
        ]
        for mark in (old, new)
    ]
    return all(abs(a - b) < _SAME for a, b in zip(*numbers, strict=True))
