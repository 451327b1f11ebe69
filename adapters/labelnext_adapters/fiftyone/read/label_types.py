"""The kinds of fields that hold predictions or labels, and where each keeps what is needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from labelnext.errors import InvalidInput, listed, unknown
from labelnext_adapters.fiftyone.database.connection import field_of
from labelnext_adapters.fiftyone.database.values import in_parts, vector

if TYPE_CHECKING:
    from labelnext_adapters.fiftyone.options import FiftyOneSource

#: Fields of a label that hold a number for each class.
VECTORS = ("logits", "probabilities")
#: Names that people give such an attribute; it is looked for where the fields above hold nothing.
OTHER_VECTORS = ("probs", "softmax", "scores")
#: Fields of a label of which each tells how sure a model is.
CONFIDENCE = "confidence"
CERTAINTIES = (*VECTORS, *OTHER_VECTORS, CONFIDENCE)


@dataclass(frozen=True)
class Kind:
    """What a field holds.

    Attributes:
        name: of FiftyOne's class.
        listed: the attribute that is a list of labels; None where there is one label or number.
        single: it is one object, where others of its kind hold a list of them.
        shape: the attribute that says where a label is; None where labels have no place.
        scalar: it is one number a sample, or a map that is reduced to one.
    """

    name: str
    listed: str | None = None
    single: bool = False
    shape: str | None = None
    scalar: bool = False

    @property
    def of_objects(self) -> bool:
        """Whether an item has objects, one or more, and no class of its own."""
        return self.single or self.listed is not None

    @property
    def has_vectors(self) -> bool:
        """Whether a vector over the classes belongs to the sample itself."""
        return self.name in ("Classification", "Classifications")

    def path(self, field: str) -> str:
        """Where the labels of a field begin.

        Example:
            >>> KINDS["Polylines"].path("pred")
            'pred.polylines'
        """
        return f"{field}.{self.listed}" if self.listed else field

    def without_box(self) -> Kind:
        """The same without a box; points stay, because each has a confidence."""
        return replace(self, shape=None) if self.shape == "bounding_box" else self

    def label(self, field: str) -> str:
        """Where the classes of a field's labels are.

        Example:
            >>> KINDS["Detections"].label("truth"), TEXT.label("truth")
            ('truth.detections.label', 'truth')
        """
        return field if self.name == TEXT.name else f"{self.path(field)}.label"

    def number(self, field: str) -> str:
        """Where the number of a scalar field is.

        Example:
            >>> KINDS["Regression"].number("age"), KINDS["FloatField"].number("sure")
            ('age.confidence', 'sure')
        """
        return f"{field}.confidence" if self.name == "Regression" else field


KINDS = {
    kind.name: kind
    for kind in (
        Kind("Classification"),
        Kind("Classifications", "classifications"),
        Kind("Detections", "detections", shape="bounding_box"),
        Kind("Keypoints", "keypoints", shape="points"),
        Kind("Polylines", "polylines", shape="points"),
        Kind("TemporalDetections", "detections"),
        Kind("Detection", single=True, shape="bounding_box"),
        Kind("Keypoint", single=True, shape="points"),
        Kind("Polyline", single=True, shape="points"),
        Kind("TemporalDetection", single=True),
        Kind("Regression", scalar=True),
        Kind("Heatmap", scalar=True),
        Kind("FloatField", scalar=True),
        Kind("IntField", scalar=True),
    )
}
#: A field of labels that are texts, each the name of a class.
TEXT = Kind("StringField")
SEGMENTATION = "it holds no confidences: store them as a Heatmap or a number, and name that field"
LABELS = [name for name, kind in KINDS.items() if not kind.scalar]


def kind_of(collection: Any, option: str, path: str) -> Kind:
    """Which kind of predictions a field holds.

    Raises:
        NotFound: if there is no such field.
        InvalidInput: if it holds none that labelnext reads.
    """
    name = class_name(field_of(collection, option, path))
    if name not in KINDS:
        fields = collection.get_field_schema().items()
        fit = [known for known, field in fields if class_name(field) in LABELS]
        hint = f"fields of labels: {listed(fit, 20)}." if fit else None
        if name == "Segmentation":
            hint = f"{SEGMENTATION}."
        raise InvalidInput(
            f"{option} must be a field of {listed(KINDS, 20)}; got {path!r} of {name}.", hint=hint
        )
    return KINDS[name]


#: Fields that FiftyOne fills itself.
_FIFTYONES = ("id", "filepath", "tags", "metadata", "created_at", "last_modified_at")


def check_labels(options: FiftyOneSource) -> None:
    """Raise InvalidInput if every sample has what should say which ones people have labelled."""
    path = options.gt_field
    if path is None:
        return
    own = path.partition(".")[0]
    if own in _FIFTYONES:
        raise InvalidInput(
            f"gt_field must be a field with people's labels; got {path!r}, which FiftyOne fills "
            "itself.",
            hint="where a tag says that a sample is labelled, name it as label_tag."
            if own == "tags"
            else None,
        )
    predicted = [name for name in options.pred_fields if f"{path}.".startswith(f"{name}.")]
    if predicted:
        raise InvalidInput(
            f"gt_field must be a field with people's labels; got {path!r}, as pred_field is "
            f"{predicted[0]!r}.",
            hint="leave gt_field out if nothing is labelled yet.",
        )


def mistyped_tags(wanted: Iterable[str], known: Iterable[str]) -> Iterator[str]:
    """A sentence on each wanted tag that no sample has, where another one looks much like it."""
    others = {*known} - {*wanted}
    for tag in sorted({*wanted} - {*known}):
        hint = unknown("label_tag", tag, others).hint
        if hint:
            yield f"No sample has the tag {tag!r}: {hint}"


def labels_of(collection: Any, path: str) -> Kind | None:
    """Which kind of labels a field of labels holds; None where it only says that there is one.

    Raises:
        NotFound: if there is no such field.
    """
    name = class_name(field_of(collection, "gt_field", path))
    kind = TEXT if name == TEXT.name else KINDS.get(name)
    return None if kind is None or kind.scalar else kind


def number_path(collection: Any, path: str) -> str | None:
    """Where a field of labels holds a number of each sample; None if it holds none."""
    name = class_name(field_of(collection, "gt_field", path))
    if name == "Regression":
        return f"{path}.value"
    return path if name in ("FloatField", "IntField") else None


def class_name(field: Any) -> str:
    """Name of FiftyOne's class of what a field holds."""
    document = getattr(field, "document_type", None)
    return str(type(field).__name__ if document is None else document.__name__)


def certainties(kind: Kind, field: str, named: str | None = None) -> dict[str, list[str]]:
    """Where a field may tell how sure a model is: the paths of each attribute.

    Args:
        kind: of the field.
        field: its name.
        named: a further attribute that holds vectors.

    Example:
        >>> certainties(KINDS["Detection"], "pred")["logits"]
        ['pred.logits']
    """
    if kind.scalar:
        return {"confidence": [kind.number(field)]}
    others = (named,) if named and named not in CERTAINTIES else ()
    vectors = (*VECTORS, *OTHER_VECTORS, *others)
    whole = vectors if kind.has_vectors and kind.listed else ()
    return {
        part: [f"{kind.path(field)}.{part}", *([f"{field}.{part}"] if part in whole else [])]
        for part in (*vectors, CONFIDENCE)
    }


def holding(collection: Any, paths: Iterable[str]) -> Any:
    """The samples with a number, a vector or numbers by class at one of the paths, as a view."""
    return collection.match(is_filled(paths))


def is_filled(paths: Iterable[str]) -> dict[str, Any]:
    """What the database is asked for what `holding` finds, also inside a list.

    Example:
        >>> is_filled(["pred.logits"])
        {'$or': [{'pred.logits': {'$type': ['number', 'binData', 'object']}}]}
    """
    filled = {"$type": ["number", "binData", "object"]}  # no null and no empty list
    return {"$or": [{path: filled} for path in paths]}


def is_predicted(kind: Kind, field: str) -> dict[str, Any]:
    """What the database is asked for a prediction that can be ranked; an empty list is one.

    Args:
        kind: of the field.
        field: its name.

    Example:
        >>> is_predicted(KINDS["FloatField"], "sure")
        {'$or': [{'sure': {'$type': ['number', 'binData', 'object']}}]}
    """
    if kind.name == "Heatmap":
        return {field: {"$ne": None}}
    # Confidences are the commonest, and the first that is found answers.
    paths = [path for part in reversed(certainties(kind, field).values()) for path in part]
    empty = [{kind.path(field): {"$size": 0}}] if kind.listed else []
    return {"$or": [*is_filled(paths)["$or"], *empty]}


def is_held(value: Any) -> bool:
    """Whether an attribute has a value; keypoints without confidences have an empty list of them.

    Example:
        >>> is_held(0.0), is_held([]), is_held(None)
        (True, False, False)
    """
    return value is not None and not (isinstance(value, list) and not value)


def one_confidence(value: Any) -> float | None:
    """A label's confidence; of a keypoint, which has one for each point, their mean.

    Example:
        >>> one_confidence([0.5, None, 1.0]), one_confidence(0.25), one_confidence([])
        (0.75, 0.25, None)
    """
    if not isinstance(value, (list, tuple)):
        return value if value is None else float(value)
    known = [x for x in value if x is not None and x == x]
    return float(np.mean(known)) if known else None


def extent(points: Any) -> list[float] | None:
    """The smallest box x, y, width, height around points, inside the image; None without any.

    Args:
        points: [x, y] pairs, or lists of them; NaN marks a point that is not seen.

    Example:
        >>> extent([[[0.25, 0.5], [0.75, 1.0]], [[0.5, 0.25]]])
        [0.25, 0.25, 0.5, 0.75]
    """
    pairs = np.array(list(_pairs(points)), dtype=np.float64).reshape(-1, 2)
    pairs = np.clip(pairs[~np.isnan(pairs).any(axis=1)], 0, 1)
    if not len(pairs):
        return None
    low, high = pairs.min(axis=0), pairs.max(axis=0)
    return [*low.tolist(), *(high - low).tolist()]


def _pairs(points: Any) -> Iterator[Any]:
    for part in points or ():
        if part and isinstance(part[0], (list, tuple)):
            yield from _pairs(part)
        elif part:
            yield [np.nan if x is None else x for x in part]


def map_means(collection: Any, path: str) -> tuple[dict[str, float], set[str]]:
    """The mean of each sample's heatmap, as a fraction of its range; by the ids of the samples.

    Without a range, FiftyOne's rule holds: [0, 1] for floats and [0, 255] for whole numbers.

    Returns:
        The means, and the samples whose map is a file that can't be read.
    """
    import fiftyone as fo

    means, unreadable = {}, set()
    parts = in_parts(collection, ["id", path])
    for sample, stored in (row for part in parts for row in zip(*part.values(), strict=True)):
        if stored is None:
            continue
        values = vector(stored.get("map"))
        if values is None:
            try:
                values = fo.Heatmap(map_path=stored.get("map_path")).get_map()
            except OSError:
                unreadable.add(sample)
        if values is not None and values.size:
            low, high = stored.get("range") or ((0, 1) if values.dtype.kind == "f" else (0, 255))
            means[sample] = float((values.mean(dtype=np.float64) - low) / (high - low))
    return means, unreadable
