"""What platforms exchange: a batch on the way out, labels on the way back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from labelnext.acquisition import Unit
from labelnext.errors import InvalidInput, listed
from labelnext.pool.checks import among
from labelnext.pool.masks import Mask
from labelnext.pool.objects import Notice
from labelnext.ranking.ranking import Ranking, ranking_alone
from labelnext.support.words import counted

#: How an object is drawn; where people label whole items, whether with several classes or a number.
Shape = Literal["box", "polygon", "keypoint", "mask", "classes", "number"]
#: What people label: whole items, with one class, several classes or a number, or objects of one
#: shape.
Kind = Literal["items", "classes", "number", "box", "polygon", "keypoint", "mask"]
#: Kinds of labels of whole items.
WHOLE: frozenset[Kind] = frozenset({"items", "classes", "number"})
Points = tuple[tuple[float, float], ...]
Value = str | float | bool


def kind_of(unit: Unit, shape: Shape) -> Kind:
    """What people label, of a unit and a shape.

    Example:
        >>> kind_of("items", "box"), kind_of("items", "number"), kind_of("objects", "mask")
        ('items', 'number', 'mask')
    """
    return "items" if unit == "items" and shape not in WHOLE else shape


def unit_of(kind: Kind) -> Unit:
    """Whether that is a label of whole items or of their objects."""
    return "items" if kind in WHOLE else "objects"


def shape_of(kind: Kind) -> Shape:
    """The shape that goes with `unit_of`; without meaning for one class."""
    return "box" if kind == "items" else kind


@dataclass(frozen=True)
class Mark:
    """One label of an item or of an object in it.

    Attributes:
        label: name of the class.
        box: x1 y1 x2 y2 in [0, 1]; None for a label of the whole item, or another shape.
        confidence: the model's confidence in [0, 1]; None if there is none, or a person labelled.
        mark_id: id of the label where it comes from, kept on its way there and back; what people
            draw may have one of the other platform.
        paths: of a polygon, its outlines, and of a keypoint, a path for each of its points: x, y
            in [0, 1]. An empty path is a point that isn't seen.
        mask: its pixels, as `labelnext.pool.masks` has them.
        number: the number that is the label; its class is then empty.
        attributes: what else is said of the object, by name.

    Example:
        >>> Mark.from_row(Mark("car", (0.0, 0.0, 0.5, 1.0), 0.9).to_row()).box
        (0.0, 0.0, 0.5, 1.0)
    """

    label: str
    box: tuple[float, float, float, float] | None = None
    confidence: float | None = None
    mark_id: str | None = None
    paths: tuple[Points, ...] = ()
    mask: Mask | None = None
    number: float | None = None
    attributes: Mapping[str, Value] = field(default_factory=dict)

    def to_row(self) -> list[Any]:
        """As JSON."""
        row = [self.label, None if self.box is None else list(self.box), self.confidence]
        more: dict[str, Any] = {}
        if self.mark_id is not None:
            more["id"] = self.mark_id
        if self.paths:
            more["paths"] = [[list(point) for point in path] for path in self.paths]
        if self.mask is not None:
            counts = self.mask["counts"].decode("ascii")
            more["mask"] = {"size": list(self.mask["size"]), "counts": counts}
        if self.number is not None:
            more["number"] = self.number
        if self.attributes:
            more["attributes"] = dict(self.attributes)
        return [*row, more] if more else row

    @classmethod
    def from_row(cls, row: list[Any]) -> Mark:
        """The mark from the result of `to_row`."""
        label, box, confidence, *rest = row
        more = rest[0] if rest else {}
        mask = more.get("mask")
        if mask is not None:
            mask = {"size": tuple(mask["size"]), "counts": mask["counts"].encode("ascii")}
        paths = tuple(tuple((x, y) for x, y in path) for path in more.get("paths", ()))
        corners = None if box is None else (box[0], box[1], box[2], box[3])
        said = more.get("number"), more.get("attributes", {})
        return cls(label, corners, confidence, more.get("id"), paths, mask, *said)


@dataclass(frozen=True)
class Attribute:
    """What people say of each object besides its class.

    Attributes:
        name: of the attribute.
        kind: one of some texts, true or false, a number, or any text.
        choices: the texts to choose from.
    """

    name: str
    kind: Literal["choice", "flag", "number", "text"]
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Further:
    """A further field that people label with a batch.

    Attributes:
        name: of the field.
        kind: what they label.
        classes: names of the classes to choose from.
        marks: what the field holds, for each item of the batch; None where it holds nothing.
    """

    name: str
    kind: Kind
    classes: tuple[str, ...]
    marks: tuple[tuple[Mark, ...] | None, ...]


@dataclass(frozen=True)
class Origin:
    """Where items come from, so that their labels can be returned there.

    Attributes:
        platform: name of the adapter.
        dataset: name of the dataset.
        dataset_id: id of the dataset, which survives renaming.
    """

    platform: str
    dataset: str
    dataset_id: str

    @property
    def key(self) -> str:
        """The key that holds the items' ids on the other platform.

        Example:
            >>> Origin("fiftyone", "street", "6561").key
            'fiftyone_id'
        """
        return f"{self.platform.replace('-', '_')}_id"


@dataclass(frozen=True)
class Item:
    """One item of a batch.

    Attributes:
        item_id: the platform's own id.
        media: path or address of the file; None if only the source platform can access it.
        marks: the model's predictions; None if there are none.
        size: width and height in pixels, if known.
    """

    item_id: str
    media: str | None
    marks: tuple[Mark, ...] | None = None
    size: tuple[int, int] | None = None


@dataclass(frozen=True)
class Batch:
    """The batch of a run, the most useful item first.

    Attributes:
        origin: where the items come from.
        run: name of the run.
        unit: whether people label items or their objects.
        classes: names of the classes to choose from.
        model_version: a name for the predictions.
        items: the items, in rank order.
        ranking: ranking of these items only, for a platform that already holds them; None if the
            source gives none.
        notices: what of the predictions isn't in the batch.
        shape: how objects are drawn; where people label items, whether with several classes or a
            number.
        further: the other fields that people label.
        attributes: what people say of each object besides its class.
    """

    origin: Origin
    run: str
    unit: Unit
    classes: tuple[str, ...]
    model_version: str
    items: tuple[Item, ...]
    ranking: Ranking | None = None
    notices: tuple[Notice, ...] = ()
    shape: Shape = "box"
    further: tuple[Further, ...] = ()
    attributes: tuple[Attribute, ...] = ()

    @property
    def kind(self) -> Kind:
        """What people label."""
        return kind_of(self.unit, self.shape)


def ranked_there(batch: Batch, known: Collection[str], where: str) -> tuple[Ranking, list[str]]:
    """The ranking of those items of a batch that a platform already holds.

    Args:
        batch: a batch with its ranking.
        known: ids of the items on the platform.
        where: the place on the platform, for messages.

    Returns:
        The ranking, and what is left out, one sentence each.

    Raises:
        InvalidInput: if none of the items is there, or the batch has no ranking.
    """
    if batch.ranking is None:
        raise InvalidInput(
            f"{where} can only mark a batch that has a ranking; batches from "
            f"{batch.origin.platform} have none.",
            hint="set send.adapter to a platform that can import the items.",
        )
    ranking = batch.ranking
    there = among(ranking.item_ids, known)
    missing = ranking.item_ids[~there].tolist()
    if missing and not there.any():
        raise InvalidInput(
            f"the items of the batch must be in {where}; none of {len(missing)} is: "
            f"{listed(missing)}.",
            hint="set send.key to the data key or field that holds their ids there; to create new "
            "tasks instead, set source.columns.media to the column of their images.",
        )
    verb = "is" if len(missing) == 1 else "are"
    message = (
        f"{counted(len(missing), 'item')} of the batch {verb} not in {where}: {listed(missing)}."
    )
    left_out = [message] if missing else []
    return ranking_alone(ranking, there), left_out


@dataclass(frozen=True)
class Labels:
    """The labels that people gave sent items.

    Attributes:
        source: where the labels come from, in words.
        unit: whether people label items or their objects.
        known: the labels of each labelled item; an empty tuple means that it has no objects.
        waiting: items that aren't labelled yet.
        notices: what was left out.
        shape: as that of a batch.
        further: the labels of other fields, by their names.
    """

    source: str
    unit: Unit
    known: Mapping[str, tuple[Mark, ...]]
    waiting: tuple[str, ...] = ()
    notices: tuple[Notice, ...] = field(default=())
    shape: Shape = "box"
    further: Mapping[str, Labels] = field(default_factory=dict)

    @property
    def kind(self) -> Kind:
        """What people label."""
        return kind_of(self.unit, self.shape)
