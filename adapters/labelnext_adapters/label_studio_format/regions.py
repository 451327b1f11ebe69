"""From the regions of one prediction to a class distribution or to objects."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

import msgspec

from labelnext.pool.masks import Mask
from labelnext_adapters.label_studio_format.answers import (
    SUM_ERROR,
    answer_of,
    scored_choices,
    spread_list,
    vector_of,
)
from labelnext_adapters.label_studio_format.controls import CONTROLS, Unit
from labelnext_adapters.label_studio_format.faults import UNDECODABLE, in_words
from labelnext_adapters.label_studio_format.faults import BrokenRegion as BrokenRegion
from labelnext_adapters.label_studio_format.faults import OutOfRange as OutOfRange
from labelnext_adapters.label_studio_format.faults import UnknownLabel as UnknownLabel
from labelnext_adapters.label_studio_format.region import (
    Label,
    Region,
    Remarks,
    named_regions,
    number_of,
    probs_of,
)
from labelnext_adapters.label_studio_format.shapes import Shape, box_of, place_of, polygon_mask

_TYPES = {tag.lower(): tag for tag in CONTROLS}


class Found(NamedTuple):
    """One object of an item; `page` is the one of a task's images or pages that it is on."""

    confidence: float
    class_id: int
    box: tuple[float, float, float, float] | None = None
    probabilities: list[float] | None = None
    mask: Mask | None = None
    page: int = 0


class Parsed(NamedTuple):
    """What a prediction says: a distribution, or objects, or neither because it has no score.

    `whole` is the one confidence of the item that the objects come down to: that of a choice, or a
    prediction's score that stands in for its regions.
    """

    vector: list[float] | None = None
    objects: list[Found] | None = None
    whole: Found | None = None


@dataclass(frozen=True)
class Setup:
    """The control tag that is read, or several that label parts of an item.

    Attributes:
        from_name: its name.
        tag: its type, a key of `CONTROLS`.
        classes: position of each label, in the order of the labelling setup.
        multiple: several choices can be chosen at once.
        others: types of further control tags that are read with it, by their names.
        per_region: names of those tags whose every region is an answer of its own, because they
            ask about regions or about each of several images.
        patterns: of the names that stand for one in each repetition of a Repeater.
        aliases: positions of the classes by further names: a label's other name, or the end of a
            path through a taxonomy where no other path ends so.
        separator: what joins a path.
        spans: the regions are spans of a text.
        derived: the classes are those that occur in the data; there may be others.
        pages: number of each page or image of a task, by its name and place; filled on reading.
    """

    from_name: str
    tag: str
    classes: Mapping[str, int]
    multiple: bool = False
    others: Mapping[str, str] = field(default_factory=dict)
    per_region: frozenset[str] = frozenset()
    patterns: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    aliases: Mapping[str, int] = field(default_factory=dict)
    separator: str = " / "
    spans: bool = False
    derived: bool = False
    pages: dict[tuple[str, int], int] = field(default_factory=dict, compare=False)

    @property
    def tags(self) -> dict[str, str]:
        """The types of all control tags that are read, by their names."""
        return {self.from_name: self.tag, **self.others}

    @property
    def unit(self) -> Unit:
        """Whether they label items or parts of items."""
        return "objects" if self.from_name in self.per_region else CONTROLS[self.tag].unit

    @property
    def of_numbers(self) -> bool:
        """Whether a label is a number of the whole item."""
        return self.tag == "Number" and not self.others and not self.per_region

    @property
    def of_parts(self) -> bool:
        """Whether every region is an answer about a part of the item."""
        return all(n in self.per_region and CONTROLS[t].answers for n, t in self.tags.items())

    def name_of(self, region: Region) -> str | None:
        """The name of a region's control tag in the setup; None for one that is not read."""
        name = region.from_name
        if name == self.from_name or not isinstance(name, str):
            return name if isinstance(name, str) else None
        if name in self.others:
            return name
        return next((tag for tag, p in self.patterns.items() if p.fullmatch(name)), None)

    def position(self, label: str) -> int:
        """The class position of a label.

        Raises:
            UnknownLabel: if there is none.
        """
        known = self.classes.get(label, self.aliases.get(label))
        if known is None:
            raise UnknownLabel(label)
        return known

    def page_of(self, region: Region) -> int:
        """The number of the page or image that a region is on, of all that were seen so far."""
        name, page = region.to_name, region.item_index
        if isinstance(name, list) and name:
            name = name[0]
        if not isinstance(name, str):
            return 0
        if isinstance(page, bool) or not isinstance(page, int):
            page = 0
        return self.pages.setdefault((name, page), len(self.pages))


def parse_result(
    result: bytes | msgspec.Raw, score: object, setup: Setup, remarks: Remarks | None = None
) -> Parsed | None:
    """What a stored prediction says.

    Args:
        result: its `result`, JSON.
        score: its own score.
        setup: the control tag.
        remarks: filled with what was left out, or read with a reservation.

    Returns:
        None when all regions are another control tag's.

    Raises:
        BrokenRegion: if no region is what the tag makes, or an answer about the item is not.
        UnknownLabel: likewise, for a label that is not of the labelling setup.
        OutOfRange: if a score or probability is not in [0, 1].
    """
    noted = Remarks() if remarks is None else remarks
    regions = [*named_regions(result, noted)]
    named = [(region, name) for region in regions if (name := setup.name_of(region)) in setup.tags]
    if regions and not named:
        return None
    if setup.unit == "objects":
        order = [*setup.tags]
        return _parts(sorted(named, key=lambda each: order.index(each[1])), score, setup, noted)
    return _whole(named, score, setup, noted)


def tags_of(result: bytes | msgspec.Raw) -> str:
    """The control tags of a prediction's regions, in words."""
    return ", ".join(dict.fromkeys(str(r.from_name) for r in named_regions(result, Remarks())))


def true_labels(
    result: bytes | msgspec.Raw, setup: Setup, remarks: Remarks | None = None
) -> list[Found]:
    """What a person said in an annotation: classes and where; -1 for a region without a label.

    Raises:
        BrokenRegion: if a region is not what the tag makes.
        UnknownLabel: if a label is not of the labelling setup.
        OutOfRange: if a probability that a region still has is not in [0, 1].
    """
    remarks, said = Remarks() if remarks is None else remarks, []
    for region in named_regions(result, remarks):
        if (name := setup.name_of(region)) not in setup.tags:
            continue
        if setup.unit == "objects":
            part = _part(region, str(name), setup, remarks)
            said.append(part._replace(confidence=1.0, probabilities=None))
        else:
            _type_of(region, setup.tags[str(name)])
            said += [Found(1.0, c) for c in answer_of(region, setup)[0]]
    if remarks.broken:
        raise BrokenRegion(remarks.broken[0])
    return said


def _whole(
    named: Sequence[tuple[Region, str]], score: object, setup: Setup, remarks: Remarks
) -> Parsed:
    """An answer about the whole item; answers about several pages, or regions, are parts."""
    for region, name in named:
        _type_of(region, setup.tags[name])  # refuses what another kind of tag made
    answers = [answer_of(region, setup) for region, _ in named]
    probs = [probs for _, probs in answers if probs is not None]
    if len(probs) > 1 or len({setup.page_of(region) for region, _ in named}) > 1:
        return _parts(named, score, setup, remarks)
    if probs:
        return _distribution(probs[0], setup, remarks)
    scores = [number_of(region.score, "score", remarks) for region, _ in named]
    scored = all(s is not None for s in scores)
    if not named:
        nothing = number_of(score, "the prediction's score", remarks)
        return Parsed(objects=[], whole=None if nothing is None else Found(nothing, -1))
    chosen = [(c, s) for (classes, _), s in zip(answers, scores, strict=True) for c in classes]
    if not scored and (stand_in := number_of(score, "the prediction's score", remarks)) is not None:
        chosen = [(c, stand_in if s is None else s) for c, s in chosen]
    known: dict[int, float] = {}  # a class that is named twice is as sure as the surer of both
    for c, s in chosen:
        if s is None:
            return Parsed()
        known[c] = max(s, known.get(c, 0.0))
    one_each = all(len(classes) == 1 for classes, _ in answers)
    if one_each and scored and (vector := scored_choices(known, setup, remarks)):
        return Parsed(vector=vector)
    of_two = len(setup.classes) == 2 and not setup.multiple and not setup.derived
    if len(known) == 1 and of_two:
        ((chosen_class, s),) = known.items()
        return Parsed(vector=[s, 1 - s] if chosen_class == 0 else [1 - s, s])
    whole = [Found(s, c) for c, s in known.items()]
    one = whole[0] if len(whole) == 1 else None
    # One region has one score, whatever it names; without, the prediction's is all there is.
    if len(whole) > 1 and (len(scores) == 1 or all(s is None for s in scores)):
        one = Found(whole[0].confidence, -1)
    return Parsed(objects=whole, whole=one)


def _distribution(probs: dict[str, Any] | list[Any], setup: Setup, remarks: Remarks) -> Parsed:
    """Class probabilities; where a name has the only one, below 1, that is one confidence."""
    row = vector_of(probs, setup, remarks)
    if setup.multiple or not isinstance(probs, dict) or math.fsum(row) >= 1 - SUM_ERROR:
        return Parsed(vector=row)
    named = {setup.position(label): row[setup.position(label)] for label in probs}
    if len(named) == 1:
        ((class_id, confidence),) = named.items()
        one = Found(confidence, class_id)
        return Parsed(objects=[one], whole=one)
    remarks.spread = 0 < len(named) < len(row)
    return Parsed(vector=(spread_list(named, len(row)) if remarks.spread else None) or row)


def _parts(
    named: Sequence[tuple[Region, str]], score: object, setup: Setup, remarks: Remarks
) -> Parsed:
    """Each region by itself; one that can't be read is left out, unless none can."""
    parts: list[Found] = []
    fault: BrokenRegion | UnknownLabel | None = None
    for region, name in named:
        try:
            parts.append(_part(region, name, setup, remarks))
        except BrokenRegion as error:
            remarks.broken.append(str(error))
            fault = fault or error
        except UnknownLabel as error:
            remarks.unknown.append(error.label)
            fault = fault or error
    if fault is not None and not parts:
        raise fault
    stand_in = number_of(score, "the prediction's score", remarks)
    bare = [part for part in parts if math.isnan(part.confidence)]
    if not bare:
        if not parts:
            return Parsed(objects=parts, whole=None if stand_in is None else Found(stand_in, -1))
        alone = all(_single(name, setup) for _, name in named)
        several = len(parts) > 1 and (
            setup.unit == "items" or any(part.box is not None for part in parts)
        )
        least = min(parts, key=lambda part: part.confidence)
        return Parsed(objects=parts, whole=least if alone and not several else None)
    if stand_in is None and len(bare) == len(parts):
        return Parsed()
    if stand_in is None:
        remarks.unscored += len(bare)
        return Parsed(objects=[part for part in parts if not math.isnan(part.confidence)])
    remarks.stand_ins += len(bare) if len(parts) > 1 else 0  # one region is the prediction
    filled = [p._replace(confidence=stand_in) if math.isnan(p[0]) else p for p in parts]
    classes = {part.class_id for part in parts}
    one = Found(stand_in, min(classes) if len(classes) == 1 else -1)
    return Parsed(objects=filled, whole=one if len(bare) == len(parts) else None)


def _single(name: str, setup: Setup) -> bool:
    """Whether a single region of a control tag answers for the whole item."""
    control = CONTROLS[setup.tags[name]]
    return (control.single or control.unit == "items") and name not in setup.per_region


def _part(region: Region, name: str, setup: Setup, remarks: Remarks) -> Found:
    """One region by itself; without any score its confidence is NaN."""
    control = CONTROLS[_type_of(region, setup.tags[name])]
    if control.unit == "items":
        classes, probs = answer_of(region, setup)
        box, mask = place_of(region), None
    else:
        try:
            value: Any = _decoder(control.key).decode(region.value)
        except UNDECODABLE as error:
            raise BrokenRegion(in_words(error)) from error
        labels = getattr(value, control.key) if control.key else None
        classes = [setup.position(str(label)) for label in labels or ()]
        probs = probs_of(region, value.probs)
        box = box_of(region, value) if control.boxed else None
        if control.boxed is None:
            box = place_of(region)
        mask = polygon_mask(region, value)
    remarks.more_labels += len(classes) > 1
    vector = None if probs is None else vector_of(probs, setup, remarks)
    confidence = number_of(region.score, "score", remarks)
    if confidence is None and vector is not None and classes:
        confidence = vector[classes[0]]
    return Found(
        math.nan if confidence is None else confidence,
        classes[0] if classes else -1,
        box,
        vector,
        mask,
        setup.page_of(region),
    )


def _type_of(region: Region, tag: str) -> str:
    """The tag that made a region: its type may have been changed in the setup since.

    Raises:
        BrokenRegion: if it made something else.
    """
    kind = region.type
    if not isinstance(kind, str) or kind == tag.lower() or kind not in _TYPES:
        return tag
    made = CONTROLS[_TYPES[kind]]
    if made.unit != CONTROLS[tag].unit:
        raise BrokenRegion(f"its type must be {tag.lower()!r}; got {kind!r}")
    return _TYPES[kind] if made.key and CONTROLS[tag].key else tag


@cache
def _decoder(key: str) -> Any:
    """Of shapes with labels under that key; numbers may be text, as Label Studio keeps them."""
    labels: list[Any] = [(key, list[Label] | None, None)] if key else []
    return msgspec.json.Decoder(
        msgspec.defstruct("_Labelled", labels, bases=(Shape,)), strict=False
    )
