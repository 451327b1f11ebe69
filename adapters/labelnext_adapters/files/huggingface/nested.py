"""What Hugging Face pipelines returned for each input, as their outputs are nested in a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from labelnext.errors import InvalidInput
from labelnext_adapters.files.content.item_ids import ITEM_KEYS, check_no_key, id_in
from labelnext_adapters.files.content.oddities import FEW, Broken, Unusable, mostly
from labelnext_adapters.files.content.shards import items_called
from labelnext_adapters.files.tables.column_names import shape_in
from labelnext_adapters.files.tables.vectors import ROUNDED

LABELS = ("label", "answer", "token_str")  # of classes, answers about pictures, masked words
#: Keys of a record that hold the output; null if there is none.
_OUTPUTS = {"predictions", "prediction", "outputs", "output", "results", "result"}
_SHAPES = {"bbox", "boxes", "bboxes", "xyxy", "polygon", "points", "segmentation"}
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
        keys: of a record that hold outputs, that of `value` first.
    """

    place: str
    item: Any
    value: Any
    size: tuple[Any, Any] | None = None
    label: Any = None
    keys: tuple[str, ...] = ()


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
        if "score" in value and {*LABELS} & value.keys():
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
    if kind in ("answer", "objects") and wraps(value[0]):
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

    Raises:
        InvalidInput: if a key is named for an object from id to output.
    """
    values = [record for _, record in records]
    if by_id := _by_id(records):
        check_no_key(key, "the keys of the outputs are the ids")
        return by_id
    if _is_one_output(values):
        return [Output("the record", None, values)]
    if _are_batches(records):
        return [
            Output(f"{place}, output {number}", None, one)
            for place, batch in records
            for number, one in enumerate(batch, 1)
        ]
    outputs = [_unwrapped(place, record, key) for place, record in records]
    named = Counter(one.keys[0] for one in outputs if one.keys)
    for holder, _ in named.most_common(1):
        return [_held(o, record, holder) for o, record in zip(outputs, values, strict=True)]
    return outputs


def _held(output: Output, record: Any, holder: str) -> Output:
    """The output under the key where most records have it; with null the pipeline wasn't run."""
    if not isinstance(record, Mapping) or holder not in record:
        return output
    if record[holder] is None:
        return replace(output, value=None, keys=())
    if holder not in output.keys:
        return output
    others = (name for name in output.keys if name != holder)
    return replace(output, value=alone(record[holder]), keys=(holder, *others))


def _by_id(records: Sequence[tuple[str, Any]]) -> list[Output]:
    """The outputs of objects from id to output: one for the file, or one on each line.

    A few lines may be of another form. An id that is there again with another output has none that
    can be used.
    """
    single = len(records) == 1
    whole = [record for _, record in records if not isinstance(record, Broken)]
    fits = [_maps_ids(record) and (single or not _names_outputs(record)) for record in whole]
    if not any(fits) or not mostly(fits):
        return []
    names = [name for record, fit in zip(whole, fits, strict=True) if fit for name in record]
    if len(names) - len(set(names)) > FEW * len(names):
        return []  # they say what the outputs are of
    outputs: dict[str, Output] = {}
    broken, fitting = [], iter(fits)
    for place, record in records:
        if isinstance(record, Broken) or not next(fitting):
            broken.append(Output(place, None, record))
            continue
        at = "" if single else f"{place}, "
        for name, value in record.items():
            new = Output(f"{at}key {name[:80]!r}", name, alone(value))
            if name in outputs and outputs[name].value != new.value:
                new = replace(new, value=Broken(f"its id is there twice, at {outputs[name].place}"))
            outputs[name] = new
    return [*outputs.values(), *broken]


def _names_outputs(record: Mapping[str, Any]) -> bool:
    """Whether a record names its output, rather than the item."""
    return any(name in _OUTPUTS for name in record)


def _maps_ids(record: Any) -> bool:
    """Whether most values of an object are outputs, so that its keys may be ids."""
    if not isinstance(record, Mapping) or kind_of(record) or id_in(record, None) is not None:
        return False
    kinds = [kind_of(alone(value)) for value in record.values()]
    return sum(map(bool, kinds)) > len(kinds) / 2


def _are_batches(records: Sequence[tuple[str, Any]]) -> bool:
    """Whether each value is the outputs of a batch of inputs, rather than that of one input.

    Raises:
        InvalidInput: if only most are: nobody can tell which inputs come after the others.
    """
    fits = [_is_batch(value) for _, value in records]
    several = any(fit and len(value) > 1 for fit, (_, value) in zip(fits, records, strict=True))
    if all(fits) or not several or 2 * sum(fits) <= len(fits):
        return bool(fits) and all(fits)
    place, value = records[fits.index(False)]
    raise InvalidInput(
        f"{place} must be the outputs of a batch of inputs, as elsewhere; got {value!r:.80}. "
        "Nobody can tell which inputs come after it.",
        hint="run that batch again, or write one output for each input, with null for none.",
    )


def _is_batch(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, list) for one in value)


def outputs_of_files(
    files: Mapping[str, Sequence[tuple[str, Any]]], key: str | None
) -> list[Output]:
    """The outputs of several files; where each is of one input, the names of files are the ids.

    Args:
        files: by name, the records of each with their places.
        key: as of `outputs_in`.

    Raises:
        InvalidInput: if no record has the key.
    """
    told = {name: outputs_in(records, key) for name, records in files.items()}
    if key is not None and all(one.item is None for outputs in told.values() for one in outputs):
        raise InvalidInput(f"source.key must be a key of the records; none has {key!r}.")
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
    if kind != "classes" or len(values) < 2 or any(wraps(value) for value in values[:50]):
        return False
    labels = [value.get("label") for value in values if isinstance(value, Mapping)]
    try:
        total = sum(float(value["score"]) for value in values)
        return len(set(labels)) == len(values) and total <= 1 + ROUNDED
    except (TypeError, ValueError, LookupError, OverflowError):
        return False


def wraps(record: Any) -> bool:
    """Whether a record has the id of an item, and so holds what was said of it."""
    return isinstance(record, Mapping) and any(name in record for name in ITEM_KEYS)


def alone(value: Any) -> Any:
    """The output of one input, of which the Inference API makes a list.

    Example:
        >>> alone([[{"label": "cat", "score": 0.5}]])
        [{'label': 'cat', 'score': 0.5}]
    """
    if not isinstance(value, list) or len(value) != 1:
        return value
    wrapped = isinstance(value[0], list) or kind_of(value[0]) == "zero-shot"
    return value[0] if wrapped else value


def _unwrapped(place: str, record: Any, key: str | None) -> Output:
    """A record of which one key holds the output, or that is the output itself."""
    if not isinstance(record, Mapping):
        return Output(place, None, alone(record))
    try:
        item = id_in(record, key)
    except Unusable:
        item = None
    sizes = [(record[w], record[h]) for w, h in _SIZES if w in record and h in record]
    value: Any = record
    label: Any = None
    keys: tuple[str, ...] = ()
    if kind_of(record) is None:
        label = record.get("label")
        nested = {name: alone(v) for name, v in record.items() if isinstance(v, list | Mapping)}
        inside = {name: v for name, v in nested.items() if kind_of(v) not in (None, "nothing")}
        empty = [v for v in nested.values() if kind_of(v) == "nothing"]  # stands for anything
        unknown = any(name in _OUTPUTS and v is None for name, v in record.items())
        value = next(iter((*inside.values(), *empty)), None if unknown else record)
        keys = tuple(map(str, inside))
    return Output(place, item, value, sizes[0] if sizes else None, label, keys)
