"""Outputs of Hugging Face pipelines to a Pool."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from labelnext.errors import InvalidInput, listed
from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext.support.started import how
from labelnext.support.words import counted
from labelnext_adapters.files.content.item_ids import ITEM_KEYS, id_in
from labelnext_adapters.files.content.oddities import Unusable, unbroken
from labelnext_adapters.files.content.shards import items_called
from labelnext_adapters.files.gather import Gathered
from labelnext_adapters.files.tables.column_names import plain, shape_in
from labelnext_adapters.files.tables.known_names import OBJECT_LISTS
from labelnext_adapters.files.tables.vectors import ROUNDED

_KINDS = {
    "classes": "a list of classes with label and score",
    "answer": "one label with its score",
    "zero-shot": "labels and scores",
    "objects": "a list of objects with label, score and box",
    "spans": "a list of spans with entity and score",
    "nothing": "an empty list",
}
_OF_ANSWERS = {"label", "score", "answer", "start", "end", "text", "sentence", "input", "sequence"}
_LABELS = ("label", "answer", "token_str")  # of classes, answers about pictures, masked words
_INPUTS = {"text", "input", "inputs", "sentence", "prompt"}
#: Keys of a record that hold the output; null if there is none.
_OUTPUTS = {"predictions", "prediction", "outputs", "output", "results", "result"}
_SHAPES = {"bbox", "boxes", "bboxes", "xyxy", "polygon", "points", "segmentation"}
_CORNERS = ("xmin", "ymin", "xmax", "ymax")
_SIZES = (("width", "height"), ("image_width", "image_height"))


@dataclass(frozen=True)
class Output:
    """What a pipeline returned for one input.

    Attributes:
        place: in the file.
        item: id of the input; None if the file doesn't say.
        value: as the pipeline returned it; None if it wasn't run.
        size: width and height of its image in pixels; None if the file doesn't say.
        label: what people said of the input; None if the file doesn't say.
    """

    place: str
    item: Any
    value: Any
    size: tuple[Any, Any] | None = None
    label: Any = None


def kind_of(value: Any) -> str | None:
    """The kind of a pipeline's output for one input; None if it is none.

    Example:
        >>> kind_of([{"label": "cat", "score": 0.9}]), kind_of({"labels": ["a"], "scores": [1]})
        ('classes', 'zero-shot')
    """
    if isinstance(value, Mapping):
        labels, scores = value.get("labels"), value.get("scores")
        if isinstance(labels, list) and isinstance(scores, list):
            boxed = {"boxes", "bboxes", "masks"} & value.keys()
            return None if boxed else "zero-shot"
        if _is_span(value):
            return "spans"
        if _SHAPES & value.keys():
            return None  # a table reads these
        if isinstance(scores or value.get("score"), list):
            return None  # columns of a table
        if "score" in value and {*_LABELS} & value.keys():
            if {"box", "mask"} & value.keys():
                return "objects"
            return None if _is_drawn(tuple(value)) else "answer"
        return None
    if not isinstance(value, list):
        return None
    if not value:
        return "nothing"
    kinds = {kind_of(one) if isinstance(one, Mapping) else None for one in value[:50]}
    if len(kinds) > 1:
        kinds.discard(None)
    kind = kinds.pop()
    if kind in ("answer", "objects") and _wraps(value[0]):
        return None  # a table with these columns
    return {"answer": "classes", "objects": "objects", "spans": "spans"}.get(kind or "")


@lru_cache(1 << 10)
def _is_drawn(keys: tuple[str, ...]) -> bool:
    """Whether a record is of something in an image, in the form of another tool."""
    return shape_in(map(str, keys)) is not None


def _is_span(value: Mapping[str, Any]) -> bool:
    named = {"entity", "entity_group"} & value.keys() or {"label", "start", "end"} <= value.keys()
    return "score" in value and bool(named)


def outputs_in(records: Sequence[tuple[str, Any]], key: str | None) -> list[Output]:
    """The outputs of a file, with the ids that it gives them.

    A file is a list of outputs, of records that have an output under some key, an object from id
    to output, or the output of one input.

    Args:
        records: each with its place.
        key: of the ids; one of the usual ones when None.
    """
    values = [record for _, record in records]
    if len(values) == 1 and isinstance(values[0], Mapping) and kind_of(values[0]) is None:
        inside = values[0]
        outputs = [kind_of(value) for value in inside.values()]
        if inside and id_in(inside, None) is None and sum(map(bool, outputs)) > len(outputs) / 2:
            return [Output(f"key {name[:80]!r}", name, v) for name, v in inside.items()]
    if _is_one_output(values):
        return [Output("the record", None, values)]
    return [_unwrapped(place, record, key) for place, record in records]


def outputs_of_files(
    files: Mapping[str, Sequence[tuple[str, Any]]], key: str | None
) -> list[Output]:
    """The outputs of several files; where each is of one input, the names of files are the ids.

    Args:
        files: by name, the records of each with their places.
        key: as of `outputs_in`.
    """
    told = {name: outputs_in(records, key) for name, records in files.items()}
    each = [outputs[0] for outputs in told.values() if len(outputs) == 1]
    if len(told) > 1 and len(each) == len(told) and all(one.item is None for one in each):
        named = zip(items_called(told), each, strict=True)
        return [replace(one, item=name) for name, one in named]
    return [output for outputs in told.values() for output in outputs]


def _is_one_output(values: Sequence[Any]) -> bool:
    """Whether a list is the output of one input rather than a list of outputs."""
    kind = kind_of(list(values))
    if kind in ("objects", "spans"):
        return not any(id_in(v, None) is not None for v in values[:1] if "label" not in v)
    if kind != "classes" or len(values) < 2 or any(_wraps(value) for value in values[:50]):
        return False
    labels = [value.get("label") for value in values if isinstance(value, Mapping)]
    try:
        total = sum(float(value["score"]) for value in values)
        return len(set(labels)) == len(values) and total <= 1 + ROUNDED
    except (TypeError, ValueError, LookupError, OverflowError):
        return False


def _wraps(record: Any) -> bool:
    return isinstance(record, Mapping) and any(name in record for name in ITEM_KEYS)


def _alone(value: Any) -> Any:
    """The output of one input, of which the Inference API makes a list.

    Example:
        >>> _alone([[{"label": "cat", "score": 0.5}]])
        [{'label': 'cat', 'score': 0.5}]
    """
    single = isinstance(value, list) and len(value) == 1 and isinstance(value[0], list)
    return value[0] if single else value


def _unwrapped(place: str, record: Any, key: str | None) -> Output:
    """A record of which one key holds the output, or that is the output itself."""
    if not isinstance(record, Mapping):
        return Output(place, None, record)
    try:
        item = id_in(record, key)
    except Unusable:
        item = None
    sizes = [(record[w], record[h]) for w, h in _SIZES if w in record and h in record]
    value: Any = record
    label = None
    if kind_of(record) is None:
        label = record.get("label")
        nested = (_alone(v) for v in record.values() if isinstance(v, list | Mapping))
        inside = [v for v in nested if kind_of(v)]
        inside.sort(key=lambda v: kind_of(v) == "nothing")  # an empty list may stand for anything
        unknown = any(name in _OUTPUTS and v is None for name, v in record.items())
        value = inside[0] if inside else None if unknown else record
    return Output(place, item, value, sizes[0] if sizes else None, label)


def pool_of_outputs(
    outputs: Sequence[Output],
    *,
    ids: Sequence[str] | None = None,
    multilabel: bool = False,
    classes: Iterable[str] | None = None,
    notices: Iterable[Notice] = (),
) -> Pool:
    """The inputs of a pipeline, with what it returned for each.

    Args:
        outputs: in the order of the inputs.
        ids: of the inputs; those of the outputs, or else their numbers from 0, when None.
        multilabel: classes are independent.
        classes: names of the classes; from the outputs when None.
        notices: of what was read so far.

    Raises:
        InvalidInput: if there are no outputs, or too many that can't be used.
    """
    counts = Counter(kind_of(output.value) for output in outputs)
    gathered = _gathered(counts, classes, multilabel=multilabel)
    gathered.notices += notices
    outputs = _identified(outputs, ids, gathered)
    known = [kind for kind, _ in counts.most_common() if kind not in (None, "nothing")]
    kind = next(iter(known), "objects" if counts["nothing"] else None)
    if kind is None and outputs:
        raise InvalidInput(
            f"an output must be one of: {'; '.join(_KINDS.values())}; got "
            f"{outputs[0].value!r:.80} at {outputs[0].place}.",
            hint=f"{how('formats')} lists the other formats.",
        )
    lists = [output.value for output in outputs if kind_of(output.value) == "classes"]
    whole = kind == "classes" and all(len(one) == 1 for one in lists)
    sizeless: list[str] = []
    for output in outputs:
        with gathered.record(output.place, output.item):
            if output.value is None and output.item is not None:
                gathered.new_item(output.item)  # nothing is known of it
                continue
            _checked_kind(output, kind or "")
            row = gathered.new_item(output.item)
            if isinstance(output.label, str | int):
                gathered.label(row, output.label)
            if kind in ("objects", "spans"):
                gathered.nothing(row)
            elif whole or kind == "answer":
                one = output.value[0] if whole else output.value
                gathered.answer(row, one.get("label"), one.get("score"))
            else:
                gathered.scores(row, _scores(output.value))
        alike = kind_of(output.value) == kind
        if kind in ("objects", "spans") and (alike or isinstance(output.value, list)):
            gathered.odd.seen -= alike  # its parts are counted instead
            _detections(output, gathered, sizeless)
    if sizeless:
        _tell_sizeless(gathered, sizeless)
    return gathered.pool()


def _gathered(
    counts: Counter[str | None], classes: Iterable[str] | None, *, multilabel: bool
) -> Gathered:
    """What takes outputs of these kinds."""
    return Gathered(
        "output",
        classes=classes,
        multilabel=multilabel,
        spans=counts["spans"] > counts["objects"],
        likeliest=not counts["zero-shot"],
    )


def _tell_sizeless(gathered: Gathered, items: Sequence[str]) -> None:
    gathered.notice(
        "no_boxes",
        f"Left out the boxes of {counted(len(items), 'item')}, but not the objects in them: the "
        "file doesn't say how large the images are (write width and height beside each output).",
        items,
    )


def _identified(
    outputs: Sequence[Output], ids: Sequence[str] | None, gathered: Gathered
) -> list[Output]:
    if ids is not None:
        if len(ids) != len(outputs):
            raise InvalidInput(
                f"ids must be one for each of the {counted(len(outputs), 'output')}; got "
                f"{len(ids):,}."
            )
        return [replace(output, item=name) for output, name in zip(outputs, ids, strict=True)]
    if any(output.item is not None for output in outputs):
        return list(outputs)
    if outputs:
        gathered.notice(
            "numbered",
            "The file has no ids: items are called 0, 1, … in the order of the outputs (set "
            "source.ids to a file that lists the inputs).",
        )
    return [replace(output, item=str(number)) for number, output in enumerate(outputs)]


def _checked_kind(output: Output, kind: str) -> None:
    kind_here = kind_of(unbroken(output.value))
    if output.item is None:
        raise Unusable("it has no id")
    if kind_here != kind and not (kind_here == "nothing" and kind in ("objects", "spans")):
        raise Unusable(f"it must be {_KINDS[kind]}, as elsewhere; got {output.value!r:.80}")


def _scores(value: Any) -> dict[Any, Any]:
    """Class scores by name, of either form."""
    if isinstance(value, Mapping):
        labels, scores = value["labels"], value["scores"]
        if len(labels) != len(scores):
            raise Unusable(f"it has {len(labels)} labels but {len(scores)} scores")
        pairs = list(zip(labels, scores, strict=True))
    else:
        if not all(isinstance(one, Mapping) for one in value):
            raise Unusable(f"every class must have a label and a score; got {value!r:.80}")
        labels = [next((one[k] for k in _LABELS if k in one), None) for one in value]
        pairs = list(zip(labels, (one.get("score") for one in value), strict=True))
    named: dict[Any, Any] = {}
    for name, score in pairs:
        if not isinstance(name, str | int):
            raise Unusable(f"a label must be a name; got {name!r:.80}")
        if name in named:
            raise Unusable(
                f"its labels must be distinct; got {name!r:.80} twice (write a list for each item)"
            )
        named[name] = score
    return named


def _detections(output: Output, gathered: Gathered, sizeless: list[str]) -> None:
    """The objects or spans of an output; each counts as a record of its own."""
    parts = [output.value] if isinstance(output.value, Mapping) else output.value
    boxed = False
    for number, part in enumerate(parts, 1):
        with gathered.record(f"{output.place}, object {number}", output.item):
            if not isinstance(part, Mapping):
                raise Unusable(f"it must be an object with label and score; got {part!r:.80}")
            name = part.get("entity_group", part.get("entity", part.get("label")))
            box = part.get("box")
            boxed |= box is not None and output.size is None
            corners = None
            if box is not None and output.size is not None:
                corners = [box.get(c) for c in _CORNERS] if isinstance(box, Mapping) else [box]
            row = gathered.item(output.item)
            gathered.detection(row, name, part.get("score"), corners, output.size)
    if boxed:
        sizeless.append(str(output.item))


def described(value: Any) -> str | None:
    """What shows that a JSON value is of a pipeline, in words; None if it isn't.

    Args:
        value: the beginning of a file.
    """
    kind = kind_of(value)
    if isinstance(value, list) and kind in (None, "nothing"):  # one may be empty or odd
        return next((said for one in value[:20] if (said := _described(one, kind))), None)
    return _described(value[0] if isinstance(value, list) else value, kind)


def _described(first: Any, of_all: str | None) -> str | None:
    """What one output shows, alone or as the first of a list of this kind."""
    kind = kind_of(first) or of_all
    if isinstance(first, Mapping) and {"text", "spans"} <= first.keys():
        return None  # spaCy's and Prodigy's
    if isinstance(first, Mapping) and kind is None:
        named = {name: kind_of(_alone(inside)) for name, inside in first.items()}
        wrapped = [
            name
            for name, k in named.items()
            if k and k != "nothing" and not (k == "classes" and plain(name) in OBJECT_LISTS)
        ]
        if wrapped and (_wraps(first) or all(named.values()) or _INPUTS & first.keys()):
            return f"its outputs are {_KINDS[named[wrapped[0]] or '']} ({listed(wrapped, 1)})"
        return None
    if kind == "answer" and not first.keys() <= _OF_ANSWERS:
        return None  # a table with these columns
    if kind == "objects" and isinstance(first, Mapping) and _wraps(first):
        return None  # one row a detection
    return None if kind in (None, "nothing") else f"its outputs are {_KINDS[kind or '']}"
