"""Gathered: builds a pool from records that a reader meets one by one."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from labelnext.errors import InvalidInput, listed
from labelnext.pool.objects import Notice, Objects
from labelnext.pool.pool import Pool
from labelnext.support.words import counted
from labelnext_adapters.files.content.oddities import Oddities, Unusable
from labelnext_adapters.files.content.unpacked import check_spread
from labelnext_adapters.files.content.values import (
    Box,
    fractions_of,
    id_text,
    name_text,
    probability,
)
from labelnext_adapters.files.tables.vectors import OTHER, ROUNDED, class_vectors

_NO_CLASS = "a class must be one of"


@dataclass
class _Version:
    """What one model version said, by item row."""

    scores: dict[int, dict[str, float]] = field(default_factory=dict)
    answers: dict[int, tuple[str | None, float]] = field(default_factory=dict)
    objects: dict[int, list[tuple[str | None, float, Box | None]]] = field(default_factory=dict)


class Gathered:
    """Builds a pool from records: each reader calls `item`, then what was predicted of it.

    An item has class scores, one answer with its confidence, or detected objects; all items of a
    file have the same of these. What a record lacks raises Unusable; inside `record` that leaves
    the record out.

    Args:
        what: a record in words, for messages.
        classes: names of the classes, in their order; from the records, sorted, when None.
        multilabel: classes are independent.
        spans: detected objects are spans of a text or segments of a sound.
        likeliest: scores may be those of the likeliest classes alone, so that a class that no
            record names may have the rest.

    Example:
        >>> found = Gathered("result")
        >>> for number, (name, sure) in enumerate({"a.jpg": 0.75, "b.jpg": 0.5}.items(), 1):
        ...     with found.record(f"record {number}", name):
        ...         found.scores(found.item(name), {"cat": sure, "dog": 1 - sure})
        >>> found.pool().mean_probabilities.tolist()
        [[0.75, 0.25], [0.5, 0.5]]
    """

    def __init__(
        self,
        what: str = "record",
        *,
        classes: Iterable[str] | None = None,
        multilabel: bool = False,
        spans: bool = False,
        likeliest: bool = False,
    ) -> None:
        self.odd = Oddities(what)
        self.notices: list[Notice] = []
        self._classes = None if classes is None else list(classes)
        self._multilabel = multilabel
        self._spans = spans
        self._likeliest = likeliest and not multilabel
        self._rows: dict[str, int] = {}
        self._places: dict[str, str] = {}  # of items that must not be met again
        self._versions: dict[str, _Version] = {}
        self._labels: dict[int, str] = {}
        self._media: dict[int, str] = {}
        self._bad_boxes: list[tuple[int, str]] = []  # rows and reasons
        self._place = ""

    def record(self, place: str, item: object = "") -> AbstractContextManager[None]:
        """Count a record; Unusable leaves it out."""
        self._place = place
        return self.odd.record(place, item)

    def item(self, name: object) -> int:
        """The row of an item, new if its id wasn't met before.

        Raises:
            Unusable: if the id isn't text or a whole number.
        """
        text = id_text(name)
        return self._rows.setdefault(text, len(self._rows))

    def new_item(self, name: object) -> int:
        """The row of an item that must not have been met before.

        Raises:
            InvalidInput: if it was.
        """
        text = id_text(name)
        if text in self._rows:
            raise InvalidInput(
                f"item ids must be distinct; {text!r:.80} is that of {self._places[text]} and of "
                f"{self._place or 'another'}.",
                hint="keep one record of each item.",
            )
        self._places[text] = self._place or "one item"
        return self.item(text)

    def scores(self, row: int, scores: Mapping[Any, Any], version: str = "") -> None:
        """Class scores of an item, by class name.

        Classes that aren't named get an even share of what is missing to 1, or 0 if nothing is.

        Raises:
            Unusable: if a score isn't a probability.
        """
        if not scores:
            raise Unusable("it has no class scores")
        known = {name_text(name): probability(value) for name, value in scores.items()}
        self._of(version).scores[row] = known

    def answer(self, row: int, name: object, confidence: object, version: str = "") -> None:
        """One answer for the whole item with its confidence; the class may be None.

        Raises:
            Unusable: if the confidence isn't a probability.
        """
        text = None if name is None else name_text(name)
        self._of(version).answers[row] = text, probability(confidence, "confidence")

    def detection(
        self,
        row: int,
        name: object,
        confidence: object,
        box: Sequence[Any] | None = None,
        size: Sequence[Any] | None = None,
        version: str = "",
    ) -> None:
        """An object of an item.

        Args:
            row: of the item.
            name: its class; None if unknown.
            confidence: in [0, 1].
            box: x1 y1 x2 y2, in pixels if `size` is given, else as fractions of the image.
            size: width and height of the image in pixels; if they are None, the box can't be used.
            version: of the model.

        Raises:
            Unusable: if the confidence isn't a probability. A box that can't be used is left out
                alone, and counted.
        """
        text = None if name is None else name_text(name)
        sure = probability(confidence, "confidence")
        corners = None
        if box is not None:
            try:
                corners = fractions_of(box, size)
            except Unusable as error:
                self._bad_boxes.append((row, f"{self._place}: {error}"))
        self._of(version).objects.setdefault(row, []).append((text, sure, corners))

    def nothing(self, row: int, version: str = "") -> None:
        """The item was looked at, and nothing was detected."""
        self._of(version).objects.setdefault(row, [])

    def label(self, row: int, name: object) -> None:
        """The class that people gave an item; None is ignored."""
        if name is not None and name != "":
            self._labels[row] = name_text(name)

    def notice(self, code: str, message: str, items: Iterable[str] = ()) -> None:
        """A remark for the report."""
        self.notices.append(Notice(code, message, tuple(items)))

    def pool(self) -> Pool:
        """The pool.

        Raises:
            InvalidInput: if too much can't be used, or predictions of different kinds are mixed.
        """
        strange = self._without_strange()
        told = [one for odd in (self.odd, strange) for one in _told(odd)]
        notices = [*self.notices, *told, *self._box_notices()]
        if not self._rows:
            raise InvalidInput(f"the file must hold at least one {self.odd.what}; it has none.")
        self._tell_answers()
        self._forget_lost()
        kinds = {
            kind
            for version in self._versions.values()
            for kind in ("scores", "answers", "objects")
            if getattr(version, kind)
        }
        if len(kinds) > 1:
            raise InvalidInput(
                "all items must have the same kind of prediction; got "
                f"{' and '.join(sorted(kinds))}.",
                hint="split the file.",
            )
        classes = self._class_names(notices)
        versions = [self._versions[name] for name in self._versions]
        columns: dict[str, Any] = {}
        if kinds == {"scores"}:
            columns["probabilities"] = self._vectors(versions, classes or [], notices)
        elif kinds:
            whole = kinds == {"answers"}
            sets = tuple(self._objects(v, classes, len(versions) > 1, whole) for v in versions)
            columns["objects"] = sets if len(sets) > 1 else sets[0]
            if len(sets) == 1 and (lacking := self._lacking(versions[0])):
                columns["missing"] = np.isin(np.arange(len(self._rows)), lacking)
        if self._labels:
            places = {name: i for i, name in enumerate(classes or [])}
            labels = [places.get(self._labels.get(row, ""), -1) for row in range(len(self._rows))]
            columns["labels"] = labels
        if strange.left_out:
            ids = {item for _, item, _ in strange.left_out}
            known = columns.get("labels", [-1] * len(self._rows))
            pairs = zip(self._rows, known, strict=True)
            columns["labelled"] = [item in ids or label >= 0 for item, label in pairs]
        named = [name for name in self._versions if name]
        return Pool(
            list(self._rows),
            classes=classes,
            multilabel=self._multilabel,
            versions=named if len(named) == len(versions) > 1 else None,
            notices=notices,
            **columns,
        )

    def _without_strange(self) -> Oddities:
        """Leave out what is said of classes that aren't among those stated; the labels of such."""
        labels = Oddities(of="label", seen=len(self._labels))
        if self._classes is None:
            return labels
        known, ids = {None, *self._classes}, list(self._rows)
        shown = f"{_NO_CLASS} {listed(self._classes, 20)}"
        strange: dict[int, str] = {}
        for version in self._versions.values():
            for row, scores in [*version.scores.items()]:
                if named := scores.keys() - self._classes:
                    strange[row] = min(named)
                    del version.scores[row]
            for row, (name, _) in [*version.answers.items()]:
                if name not in known:
                    strange[row] = str(name)
                    del version.answers[row]
            for row, found in version.objects.items():
                if others := [name for name, _, _ in found if name not in known]:
                    strange[row] = str(others[0])
                    version.objects[row] = [one for one in found if one[0] in known]
        for row, name in sorted(strange.items()):
            self.odd.leave_out("", ids[row], f"{shown}; got {name!r:.60}")
        for row, name in [*self._labels.items()]:
            if name not in known:
                labels.leave_out("", ids[row], f"{shown}; got {self._labels.pop(row)!r:.60}")
        return labels

    def _tell_answers(self) -> None:
        """One class an item, with less than all the probability, is an answer."""
        rows = [s for version in self._versions.values() for s in version.scores.values()]
        single = rows and all(len(scores) == 1 for scores in rows) and not self._multilabel
        if not single or len({name for scores in rows for name in scores}) < 2:
            return
        for version in self._versions.values():
            told = {row: next(iter(scores.items())) for row, scores in version.scores.items()}
            version.answers.update(told)
            version.scores.clear()

    def _forget_lost(self) -> None:
        """An item isn't without objects where some of what was said of it was left out."""
        lost = {self._rows[item] for _, item, _ in self.odd.left_out if item in self._rows}
        for version in self._versions.values():
            for row in lost:
                if not version.objects.get(row, True):
                    del version.objects[row]

    def _of(self, version: str) -> _Version:
        return self._versions.setdefault(version, _Version())

    def _class_names(self, notices: list[Notice]) -> list[str] | None:
        met: set[str] = set(self._labels.values())
        for version in self._versions.values():
            met.update(name for scores in version.scores.values() for name in scores)
            met.update(name for name, _ in version.answers.values() if name is not None)
            met.update(n for rows in version.objects.values() for n, _, _ in rows if n is not None)
        if self._classes is None:
            names = [*sorted(met), *self._rest(met)]
            if names:
                message = f"The classes come from the data: {listed(names)}."
                notices.append(Notice("derived_classes", message))
            return names or None
        return self._classes

    def _rest(self, met: Collection[str]) -> list[str]:
        """A class for what is left, where some scores name all classes and don't sum to 1."""
        rows = (s for version in self._versions.values() for s in version.scores.values())
        lost = self._likeliest and any(
            len(scores) == len(met) and sum(scores.values()) < 1 - ROUNDED + 1e-9 for scores in rows
        )
        return [OTHER] if lost and OTHER not in met else []

    def _vectors(
        self, versions: Sequence[_Version], classes: Sequence[str], notices: list[Notice]
    ) -> Any:
        places = {name: i for i, name in enumerate(classes)}
        ids = list(self._rows)
        members = []
        for version in versions:
            n_values = sum(map(len, version.scores.values()))
            check_spread("class scores", len(ids), len(classes), n_values)
            rows = np.full((len(ids), len(classes)), np.nan)
            named = np.zeros(rows.shape, dtype=bool)
            for row, scores in version.scores.items():
                columns = [places[name] for name in scores]
                rows[row, columns] = list(scores.values())
                named[row, columns] = True
            members.append(class_vectors(rows, named, ids, self._multilabel, notices))
        return members[0] if len(members) == 1 else np.stack(members)

    def _lacking(self, version: _Version) -> list[int]:
        predicted = version.objects.keys() | version.answers.keys()
        return [row for row in range(len(self._rows)) if row not in predicted]

    def _objects(
        self, version: _Version, classes: Sequence[str] | None, of_several: bool, whole: bool
    ) -> Objects:
        places = {name: i for i, name in enumerate(classes or [])}
        said: Mapping[int, Sequence[tuple[str | None, float, Box | None]]] = version.objects
        if whole:
            said = {row: [(name, sure, None)] for row, (name, sure) in version.answers.items()}
        by_row = [said.get(row, ()) for row in range(len(self._rows))]
        flat = [one for rows in by_row for one in rows]
        corners = [box for _, _, box in flat]
        boxes = None
        if any(box is not None for box in corners):
            boxes = [(math.nan,) * 4 if box is None else box for box in corners]
        lacking = np.isin(np.arange(len(by_row)), self._lacking(version))
        return Objects(
            np.concatenate([[0], np.cumsum([len(rows) for rows in by_row])]),
            np.array([sure for _, sure, _ in flat], dtype=float),
            class_ids=[-1 if n is None else places[n] for n, _, _ in flat] if places else None,
            boxes=boxes,
            missing=lacking if of_several and not whole else None,
            whole_items=whole,
            spans=self._spans and not whole,
        )

    def _box_notices(self) -> list[Notice]:
        if not self._bad_boxes:
            return []
        places = "; ".join(why for _, why in self._bad_boxes[:5])
        boxes = counted(len(self._bad_boxes), "box", "boxes")
        message = f"Left out {boxes}, but not the objects in them: {places}."
        ids, rows = list(self._rows), dict.fromkeys(row for row, _ in self._bad_boxes)
        return [Notice("bad_boxes", message, tuple(ids[row] for row in rows))]


def _told(odd: Oddities) -> list[Notice]:
    """What was left out.

    Raises:
        InvalidInput: if it is too much.
    """
    unnamed = any(why.startswith(_NO_CLASS) for _, _, why in odd.left_out)
    return odd.notices("set source.classes to all names, or leave it out." if unnamed else None)
