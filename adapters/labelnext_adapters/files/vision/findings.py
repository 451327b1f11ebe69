"""What a tool says of each image, as objects or classes, to a Pool."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from labelnext.adapter.sample import Sample
from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext.support.words import counted
from labelnext_adapters.files.content.content import read_json
from labelnext_adapters.files.content.oddities import Unusable
from labelnext_adapters.files.content.values import name_text, probability
from labelnext_adapters.files.gather import Gathered
from labelnext_adapters.files.tables.vectors import ROUNDED
from labelnext_adapters.files.vision.detections import Detections, class_of
from labelnext_adapters.files.vision.documents import (
    Document,
    Names,
    documents,
    first_documents,
    row_of,
    shown,
)
from labelnext_adapters.files.vision.options import DetectionOptions

_ENDINGS = (".json", ".jsonl", ".out")  # of the files of a folder; the last are SageMaker's
_DEEPEST = 3  # objects around what is said, as of a response's body in a batch file
_SAMPLED = 1000  # documents, to tell several tools apart


class Finding(NamedTuple):
    """An object of an image, or a class of the whole image.

    Attributes:
        kind: its class, by name or number.
        confidence: in [0, 1].
        box: x1 y1 x2 y2 of an object; None if there is none.
    """

    kind: Any
    confidence: Any
    box: Any = None


@dataclass(frozen=True)
class Said:
    """What a tool says of one image.

    Attributes:
        objects: detected in it, or why one can't be used; None where the tool doesn't look for any.
        classes: of the whole image.
        name: of the image; None if only the document's place tells it.
        size: width and height in pixels, for boxes in pixels.
        skipped: the tool couldn't look at the image, so nothing is predicted.
        unread: what else it says that isn't read, in words.
    """

    objects: Sequence[Finding | Unusable] | None = None
    classes: Sequence[Finding] = ()
    name: Any = None
    size: Any = None
    skipped: bool = False
    unread: str = ""


def _as_it_is(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Tool:
    """How to read what one tool writes.

    Attributes:
        is_one: whether a JSON value is about one image.
        said: ``said(value)`` reads such a value; raises Unusable if it can't.
        sign: what shows that a file is of the tool, as the end of a sentence.
        several: ``several(value)`` gives the values about one image each of a whole file.
        fractions: boxes are fractions of the image.
        independent: an image may have several classes; None if only the sums of scores tell.
        form: of a value about one image, in words.
    """

    is_one: Callable[[Any], bool]
    said: Callable[[Mapping[str, Any]], Said]
    sign: str
    several: Callable[[Any], Any] = _as_it_is
    fractions: bool = False
    independent: bool | None = None
    form: str = "of the same form as the others"

    def unwrapped(self, value: Any) -> Any:
        """A value about one image, without objects around it, whose other keys stay beside."""
        if self.is_one(value) or not isinstance(value, Mapping):
            return value
        inside = self._inside(value, _DEEPEST)
        return value if inside is None else {**value, **inside}

    def _inside(self, value: Any, depth: int) -> Any:
        """The only value about one image that is so deep inside another; None if there is none."""
        if self.is_one(value) or not depth or not isinstance(value, Mapping):
            return value if self.is_one(value) else None
        found = [self._inside(one, depth - 1) for one in value.values()]
        found = [one for one in found if one is not None]
        return found[0] if len(found) == 1 else None

    def takes(self, value: Any) -> bool:
        """Whether a value is about one image, alone or inside an object."""
        return self.is_one(self.unwrapped(value))


def evidence_of(sample: Sample, tools: Sequence[Tool]) -> str | None:
    """What shows that a path is of one of the tools, in words; None if it is of none."""
    for tool in tools:
        first = first_documents(sample, tool.is_one, _ENDINGS, tool.several)
        if any(tool.takes(one.value) for one in first):
            return tool.sign
    return None


def read_findings(
    path: Path, tools: Sequence[Tool], options: DetectionOptions, key: str | None
) -> Pool:
    """The images of a file or folder, with what the first tool that takes them says.

    Args:
        path: of the file or folder.
        tools: of which one wrote it.
        options: of the format.
        key: `source.key`.

    Raises:
        InvalidInput: if too much can't be used.
    """
    loaded = cache(read_json)

    def all_of(tool: Tool) -> list[Document]:
        return documents(
            path, tool.is_one, load=lambda file: tool.several(loaded(file)), endings=_ENDINGS
        )

    def n_taken(tool: Tool) -> int:
        return sum(tool.takes(one.value) for one in all_of(tool)[:_SAMPLED])

    tool = max(tools, key=n_taken) if len(tools) > 1 else tools[0]
    return read_documents(all_of(tool), tool, options, key)


def read_documents(
    read: Sequence[Document], tool: Tool, options: DetectionOptions, key: str | None
) -> Pool:
    """The images that documents are about, with what a tool says of them.

    Args:
        read: a document for each image.
        tool: that wrote them.
        options: of the format.
        key: `source.key`.

    Raises:
        InvalidInput: if too much can't be used.
    """
    names = Names(key)
    told = [_said(tool, one.value) for one in read]
    pairs = zip(read, told, strict=True)
    ids = [_name(names, one, position, said) for position, (one, said) in enumerate(pairs)]
    images = Images([one.place for one in read], ids, told, names.notices())
    return images.pool(
        options.classes,
        options.image_size,
        fractions=tool.fractions,
        independent=tool.independent,
    )


def _said(tool: Tool, value: Any) -> Said | Unusable:
    if isinstance(value, Unusable):
        return value
    inner = tool.unwrapped(value)
    if not tool.is_one(inner):
        return Unusable(f"it must be {tool.form}; got {value!r:.60}")
    try:
        return tool.said(inner)
    except Unusable as error:
        return error


def said_of(
    found: Iterable[Finding | Unusable], *, classified: bool, size: Any = None
) -> Said | Unusable:
    """Objects of an image; or its classes, of which one that can't be used spoils the others.

    Args:
        found: of the image.
        classified: they are classes.
        size: as of `Said`.
    """
    known = list(found)
    if not classified:
        return Said(objects=known, size=size)
    odd = next((one for one in known if isinstance(one, Unusable)), None)
    return odd or Said(classes=[one for one in known if isinstance(one, Finding)])


def _name(names: Names, one: Document, position: int, told: Said | Unusable) -> Any:
    """The id of an image: what the tool calls it, unless `source.key` names another key."""
    own = getattr(told, "name", None)
    record = one.value if isinstance(one.value, dict) else {}
    return names.of(one, position, *([] if own is None else [{"file_name": own}]), record)


@dataclass(frozen=True)
class Images:
    """What a tool says of the images of a file.

    Attributes:
        places: of what was said of each, for messages.
        ids: of the images, each text or a whole number; or why there is none.
        said: of each; or why it can't be used.
        notices: of what was read so far.
    """

    places: Sequence[str]
    ids: Sequence[Any]
    said: Sequence[Said | Unusable]
    notices: Sequence[Notice] = ()

    def pool(
        self,
        classes: Sequence[str] | None,
        image_size: Sequence[int] | None = None,
        *,
        fractions: bool = False,
        independent: bool | None = None,
        what: str = "detection",
    ) -> Pool:
        """The images with their objects, or with the scores of their classes if they have none.

        Args:
            classes: names of the classes; from what is said when None.
            image_size: width and height of all images in pixels, where they aren't said.
            fractions: boxes are fractions of the image.
            independent: as of `Tool`.
            what: an object in words, for messages.

        Raises:
            InvalidInput: if too much can't be used.
        """
        told = [one for one in self.said if isinstance(one, Said)]
        if any(one.objects for one in told) or not any(one.classes for one in told):
            gathered = Gathered(what, classes=classes)
            return self._detected(
                Detections(gathered, image_size, fractions=fractions), classes, what
            )
        return self._classified(classes, independent)

    def _rows(self) -> Iterator[tuple[str, Any, Said | Unusable]]:
        return zip(self.places, self.ids, self.said, strict=True)

    def _detected(self, detections: Detections, classes: Sequence[str] | None, what: str) -> Pool:
        gathered = detections.found
        gathered.notices += self.notices
        unread: list[str] = []
        for place, name, said in self._rows():
            if isinstance(said, Said) and said.classes:
                unread.append(str(shown(name)))
            if isinstance(said, Unusable) or said.skipped or not said.objects:
                with gathered.record(place, shown(name)):
                    row = row_of(gathered, name)
                    if isinstance(said, Unusable):
                        raise said
                    if not said.skipped and said.objects is not None:
                        gathered.nothing(row)
                continue
            item, shown_name = None, shown(name)
            for number, found in enumerate(said.objects, 1):
                with gathered.record(f"{place}, {what} {number}", shown_name):
                    item = row_of(gathered, name) if item is None else item
                    if isinstance(found, Unusable):
                        raise found
                    kind = None if found.kind is None else class_of(found.kind, classes)
                    detections.add(item, kind, found.confidence, found.box, said.size)
        _tell_unread(gathered, unread)
        _tell_more(gathered, self.said)
        return detections.pool()

    def _classified(self, classes: Sequence[str] | None, stated: bool | None) -> Pool:
        scored = [_scores(one, classes) for one in self.said]
        usable = [one for one in scored if isinstance(one, dict) and one]
        most = max((sum(scores.values()) for scores in usable), default=0.0)
        independent = most > 1 + ROUNDED if stated is None else stated
        single = not independent and all(len(scores) == 1 for scores in usable)
        gathered = Gathered("image", classes=classes, multilabel=independent, likeliest=not single)
        gathered.notices += self.notices
        for (place, name, _), scores in zip(self._rows(), scored, strict=True):
            with gathered.record(place, shown(name)):
                row = row_of(gathered, name)
                if isinstance(scores, Unusable):
                    raise scores
                if single and scores:
                    gathered.answer(row, *next(iter(scores.items())))
                elif scores:
                    gathered.scores(row, scores)
        if independent and stated is None:
            gathered.notice(
                "independent", "Scores of an image exceed 1 together: its classes are independent."
            )
        _tell_more(gathered, self.said)
        return gathered.pool()


def _tell_unread(gathered: Gathered, names: Sequence[str]) -> None:
    """A notice of the images of which the tool says more than their objects."""
    if names:
        message = (
            f"The classes of {counted(len(names), 'whole image')} were not read: the file has "
            "detected objects too, and these are ranked."
        )
        gathered.notice("not_read", message, names)


def _tell_more(gathered: Gathered, told: Sequence[Said | Unusable]) -> None:
    """A notice of what the tool says that no reader takes."""
    said = [one.unread for one in told if isinstance(one, Said) and one.unread]
    for what in sorted(set(said)):
        images = counted(said.count(what), "image")
        gathered.notice("not_read", f"{what} of {images} were not read.")


def _scores(said: Said | Unusable, classes: Sequence[str] | None) -> dict[str, float] | Unusable:
    """The scores by class, or why there are none."""
    if isinstance(said, Unusable):
        return said
    scores: dict[str, float] = {}
    try:
        for found in said.classes:
            name = name_text(class_of(found.kind, classes))
            if name in scores:
                raise Unusable(f"its classes must be distinct; got {name!r:.60} twice")
            scores[name] = probability(found.confidence, "confidence")
    except Unusable as error:
        return error
    return scores if scores or said.skipped else Unusable("it has no classes")


def rows_of(value: Any, what: str) -> list[Mapping[str, Any]]:
    """A list of objects.

    Raises:
        Unusable: if it is something else.
    """
    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
        raise Unusable(f"{what} must be a list of objects; got {value!r:.60}")
    return value


def list_of(value: Any, what: str, length: int | None = None) -> list[Any]:
    """A list, of this length.

    Raises:
        Unusable: if it is something else.
    """
    if not isinstance(value, list):
        raise Unusable(f"{what} must be a list; got {value!r:.60}")
    if length is not None and len(value) != length:
        raise Unusable(f"{what} must be as many as the scores, {length}; got {len(value)}")
    return value


def inside(value: Any, *keys: str) -> Any:
    """What is inside of objects, under one key after the other; None if there is nothing.

    Example:
        >>> inside({"a": {"b": 1}}, "a", "b"), inside({"a": 1}, "a", "b")
        (1, None)
    """
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def records_in(value: Any, key: str, *needed: str) -> list[Any] | None:
    """The list under a key, if it is empty or its first record has the needed keys; None if not.

    Example:
        >>> records_in({"rows": [{"a": 1, "b": 2}]}, "rows", "a")
        [{'a': 1, 'b': 2}]
        >>> records_in({"rows": []}, "rows", "a"), records_in({"rows": [{"b": 2}]}, "rows", "a")
        ([], None)
    """
    rows = inside(value, key)
    if not isinstance(rows, list) or not rows:
        return rows if isinstance(rows, list) else None
    return rows if isinstance(rows[0], Mapping) and {*needed} <= rows[0].keys() else None
