"""Outputs of Hugging Face pipelines to a Pool."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from labelnext.errors import InvalidInput, listed
from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext.support.started import how
from labelnext.support.words import counted
from labelnext_adapters.files.content.oddities import Unusable, unbroken
from labelnext_adapters.files.gather import Gathered
from labelnext_adapters.files.huggingface.nested import LABELS, Output, alone, kind_of, wraps
from labelnext_adapters.files.tables.column_names import plain
from labelnext_adapters.files.tables.known_names import OBJECT_LISTS

_KINDS = {
    "classes": "a list of classes with label and score",
    "answer": "one label with its score",
    "zero-shot": "labels and scores",
    "objects": "a list of objects with label, score and box",
    "spans": "a list of spans with entity and score",
    "nothing": "an empty list",
}
_OF_ANSWERS = {"label", "score", "answer", "start", "end", "text", "sentence", "input", "sequence"}
_INPUTS = {"text", "input", "inputs", "sentence", "prompt"}
_CORNERS = ("xmin", "ymin", "xmax", "ymax")


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
    _tell_passed_over(outputs, gathered)
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


def _tell_passed_over(outputs: Sequence[Output], gathered: Gathered) -> None:
    """Name the further outputs that records hold."""
    several = [output for output in outputs if len(output.keys) > 1]
    if several:
        read, *others = several[0].keys
        gathered.notice(
            "not_read",
            f"Read {read} as the output of each record, and not {listed(others)}: write each "
            "into a file of its own, or keep the one to rank by.",
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
        labels = [next((one[k] for k in LABELS if k in one), None) for one in value]
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
        parts = [part for one in value[:20] for part in _of_batch(one)]
        return next((said for one in parts if (said := _described(one, kind))), None)
    return _described(value[0] if isinstance(value, list) else value, kind)


def _of_batch(value: Any) -> list[Any]:
    """The first outputs of a batch; any other value alone."""
    batch = isinstance(value, list) and value and all(isinstance(one, list) for one in value)
    return value[:20] if batch else [value]


def _described(first: Any, of_all: str | None) -> str | None:
    """What one output shows, alone or as the first of a list of this kind."""
    kind = kind_of(first) or of_all
    if isinstance(first, Mapping) and {"text", "spans"} <= first.keys():
        return None  # spaCy's and Prodigy's
    if isinstance(first, Mapping) and kind is None:
        named = {name: kind_of(alone(inside)) for name, inside in first.items()}
        wrapped = [
            name
            for name, k in named.items()
            if k and k != "nothing" and not (k == "classes" and plain(name) in OBJECT_LISTS)
        ]
        if wrapped and (wraps(first) or all(named.values()) or _INPUTS & first.keys()):
            return f"its outputs are {_KINDS[named[wrapped[0]] or '']} ({listed(wrapped, 1)})"
        return None
    if kind == "answer" and not first.keys() <= _OF_ANSWERS:
        return None  # a table with these columns
    if kind == "objects" and isinstance(first, Mapping) and wraps(first):
        return None  # one row a detection
    return None if kind in (None, "nothing") else f"its outputs are {_KINDS[kind or '']}"
