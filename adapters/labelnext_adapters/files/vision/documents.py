"""What was said of each image: files of a folder, members of a list or of a mapping."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from labelnext.adapter.sample import Sample, shards_of
from labelnext.errors import InvalidInput
from labelnext.pool.objects import Notice
from labelnext.support.folders import files_below
from labelnext.support.words import counted
from labelnext_adapters.files.content.content import read_json
from labelnext_adapters.files.content.item_ids import ITEM_KEYS
from labelnext_adapters.files.content.oddities import MOST, Unusable, mostly
from labelnext_adapters.files.gather import Gathered

#: Keys of a record that name its image, in the order of preference.
IMAGE_KEYS = (
    "file_name", "filename", "image_name", "image_path", "img_path", "filepath", "path", "file",
    "source", "image", "item_id", "image_id", "img_id", "frame_index", "frame_number", "frame_id",
    "frame", "imagePath", "input_path",
)  # fmt: skip

#: Keys of a record that hold what was said of its image.
_HOLDERS = ("prediction", "predictions", "output", "outputs", "result", "results", "detections")
WHOLE = "the file"  # the place of a document that isn't a member of anything
IsOne = Callable[[Any], bool]


@dataclass(frozen=True)
class Document:
    """What was said of one image.

    Attributes:
        place: of it, for messages.
        name: of its file or its key in a mapping; None if there is none.
        value: as in JSON; or why it can't be used.
    """

    place: str
    name: str | None
    value: Any


def documents(
    path: Path,
    is_one: IsOne,
    *,
    load: Callable[[Path], Any] = read_json,
    endings: Sequence[str] = (".json",),
) -> list[Document]:
    """The documents of a folder with a file for each image, or of one file with many.

    Args:
        path: of the folder or file.
        is_one: whether a value is about one image.
        load: reads a file.
        endings: of the files in a folder.

    Raises:
        InvalidInput: if the folder has no such file, or the only file can't be read.
    """
    if not path.is_dir():
        name = path.name.removesuffix(".gz").removesuffix(".zst")
        return list(expanded(load(path), is_one, name.rpartition(".")[0] or name))
    files = [name for name in files_below(path) if not _beside_samples(path / name)]
    names = sorted(n for n in files if n.lower().endswith(tuple(endings)))
    names = names or [p.relative_to(path).as_posix() for p in shards_of(path, files)]
    if not names:
        raise InvalidInput(f"the folder must hold {' or '.join(endings)} files; it has none.")
    collected: list[Document] = []
    for name in names:
        stem = name.rpartition(".")[0]
        try:
            value = load(path / name)
        except (ValueError, OSError) as error:
            why = error.message if isinstance(error, InvalidInput) else str(error)
            collected.append(Document(name, stem, Unusable(why.rstrip("."))))
            continue
        inner = list(expanded(value, is_one, stem))
        if len(inner) > 1 and not any(is_one(one.value) for one in inner):
            inner = [Document(WHOLE, stem, value)]  # an odd one, rather than a few of its parts
        collected += [Document(_within(name, one, stem), one.name, one.value) for one in inner]
    return collected


def _beside_samples(path: Path) -> bool:
    """Whether a file describes FiftyOne's samples beside it, or Supervisely's images below."""
    if path.name == "meta.json":
        return next(path.parent.glob("*/ann"), None) is not None
    return path.name == "metadata.json" and (path.parent / "samples.json").is_file()


def _within(file: str, one: Document, stem: str) -> str:
    return file if one.name == stem else f"{file}, {one.place}"


def expanded(value: Any, is_one: IsOne, name: str | None = None) -> Iterator[Document]:
    """The values about one image each, in a value about one or many.

    Args:
        value: as in JSON; text is parsed, because to_json() gives text.
        is_one: whether a value is about one image.
        name: of the image if the value is about one.
    """
    value = _unquoted(value)
    if isinstance(value, dict) and isinstance(value.get("outputs"), list):
        value = value["outputs"]  # of a workflow, beside its trace
    if isinstance(value, dict) and not is_one(value):
        value = _unwrapped(value, is_one)
    if is_one(value):
        yield Document(WHOLE, name, value)
    elif isinstance(value, dict) and _are_by_name(value):
        for key, inner in value.items():
            told = _of_hub(_unquoted(inner), is_one)
            yield Document(f"record {str(key)[:60]!r}", str(key), told)
    elif isinstance(value, list):
        for number, inner in enumerate(value, 1):
            inner_name = name if len(value) == 1 else None
            yield Document(f"record {number}", *_held(_unquoted(inner), is_one, inner_name))
    else:
        yield Document(WHOLE, name, value)


def _unwrapped(value: dict[str, Any], is_one: IsOne) -> Any:
    """The results of an inferencer, beside its pictures, or in an answer of Ultralytics HUB."""
    for key in ("predictions", "results"):
        inside = value.get(key)
        if isinstance(inside, list) and inside and all(map(is_one, inside)):
            return inside
    return _of_hub(value, is_one)


def _held(record: Any, is_one: IsOne, name: str | None) -> tuple[str | None, Any]:
    """The name and the value of what a record holds beside the name of its image."""
    if not isinstance(record, dict) or is_one(record):
        return name, record
    held = {key: _unquoted(record[key]) for key in _HOLDERS if key in record}
    for key in sorted(held, key=lambda key: not held[key]):  # empty ones last
        inside = held[key]
        if isinstance(inside, dict | list) and is_one(inside):
            rest = {k: v for k, v in record.items() if k != key}
            if isinstance(inside, dict):
                return name, {**rest, **inside}
            told = named(rest, keys=(*IMAGE_KEYS, *ITEM_KEYS[:-2]))
            return (name if told is None else str(told)), inside
    return name, record


def _of_hub(value: Any, is_one: IsOne) -> Any:
    """The results in an answer of Ultralytics HUB; other values as they are."""
    if not isinstance(value, dict) or is_one(value):
        return value
    images = value.get("images")
    told = [value.get("data")] if "success" in value else []
    if isinstance(images, list) and images and all(isinstance(one, dict) for one in images):
        told = [one.get("results") for one in images]
    if told and all(isinstance(one, list) and is_one(one) for one in told):
        return told[0] if len(told) == 1 else told
    return value


def _are_by_name(value: dict[str, Any]) -> bool:
    """Whether an object holds what is said of each image: one odd value never decides for all."""
    return bool(value) and mostly(map(_is_nested, value.values()))


def _is_nested(value: Any) -> bool:
    return isinstance(value, dict | list) or (isinstance(value, str) and value[:1] in ("[", "{"))


def _unquoted(value: Any) -> Any:
    """JSON within text; other values as they are."""
    if isinstance(value, str) and value[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def first_documents(
    sample: Sample,
    is_one: IsOne,
    endings: Sequence[str] = (".json",),
    several: Callable[[Any], Any] = lambda value: value,
) -> Iterator[Document]:
    """The first documents of a path, to recognise it by.

    Args:
        sample: of the path.
        is_one: whether a value is about one image.
        endings: of the files in a folder.
        several: the values about one image each of a whole file.
    """
    if sample.is_folder:
        known = tuple(sample.endings.intersection(endings))
        names = [n for n in sample.names if known and n.lower().endswith(known)]
        files: Iterable[Sample] = [Sample(sample.path / name) for name in names[:5]]
        files = files or ([] if sample.shard is None else [sample.shard])
    else:
        files = [sample]
    for file in files:
        value = file.json
        if isinstance(value, dict) and not is_one(value) and len(file.records) > 1:
            value = file.records  # JSON lines
        if value is not None:
            yield from islice(expanded(several(value), is_one), 20)


@dataclass
class Names:
    """Names images: by `source.key`, by a key that records often have, or by their document.

    Attributes:
        key: `source.key`.
        numbered: how many images had no name, and got their position.
    """

    key: str | None = None
    numbered: int = 0
    _met: set[str] = field(default_factory=set)

    def of(self, document: Document, position: int, *records: Mapping[str, Any]) -> Any:
        """The id of a document's image.

        Args:
            document: about the image.
            position: of the document, from 0.
            records: that may name the image.

        Returns:
            The id; or why there is none, if `source.key` is set and no record has that key, or
            nothing can be used.

        Raises:
            InvalidInput: if another document had that name.
        """
        name = self._of(document, position, *records)
        if isinstance(name, str | int):
            if str(name) in self._met:
                raise InvalidInput(
                    f"each image must occur once; {str(name)[:80]!r} is there again "
                    f"({document.place}).",
                    hint="set source.key to the key that tells the images apart.",
                )
            self._met.add(str(name))
        return name

    def _of(self, document: Document, position: int, *records: Mapping[str, Any]) -> Any:
        if document.name is None and isinstance(document.value, Unusable):
            return document.value
        if self.key is not None:
            for record in records:
                if self.key in record:
                    return record[self.key]
            return Unusable(f"it must have the key {self.key!r}, which source.key names")
        if (name := named(*records)) is not None:
            return name
        if document.name is not None:
            return document.name
        if (name := named(*records, keys=ITEM_KEYS[:-2])) is not None:  # not the last: positions
            return name
        self.numbered += 1
        return str(position)

    def of_first(self, document: Document, position: int) -> Any:
        """The id of a document that is a list of records, of which the first may name the image."""
        first = document.value[0] if isinstance(document.value, list) and document.value else None
        return self.of(document, position, first if isinstance(first, dict) else {})

    def notices(self) -> list[Notice]:
        """A notice of the images without a name."""
        if not self.numbered:
            return []
        message = (
            f"{counted(self.numbered, 'image')} had no name in the file; the ids are their "
            "positions, from 0. Write one file for each image, or an object of name and result, "
            "for ids that you can recognise."
        )
        return [Notice("numbered", message)]


def shown(name: Any) -> Any:
    """A name for messages; empty if it is the reason why there is none."""
    return "" if isinstance(name, Unusable) else name


def row_of(gathered: Gathered, name: Any) -> int:
    """The row of an item.

    Raises:
        Unusable: if the name is the reason why there is none, or no text or whole number.
    """
    if isinstance(name, Unusable):
        raise name
    return gathered.item(name)


def named(*records: Mapping[str, Any], keys: Sequence[str] = IMAGE_KEYS) -> str | int | None:
    """What records say of the name of their image; None if nothing."""
    for record in records:
        for key in keys:
            value = record.get(key)
            if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
                return value
    return None


def by_image(rows: Sequence[Any], key: str | None) -> list[Document]:
    """The rows of each image that they name, then each row that names none.

    Args:
        rows: each of one detection.
        key: that names its image; as of `image_key` when None.

    Raises:
        InvalidInput: as for `image_key`.

    Example:
        >>> [one.value for one in by_image([{"file": "a", "n": 1}, {"file": "a", "n": 2}], None)]
        [[{'file': 'a', 'n': 1}, {'file': 'a', 'n': 2}]]
    """
    key = image_key(rows) if key is None else key
    images: dict[str, list[Any]] = {}
    nameless = []
    for number, row in enumerate(rows, 1):
        name = row.get(key) if isinstance(row, dict) else None
        if isinstance(name, str | int) and name != "":
            images.setdefault(str(name), []).append(row)
        else:
            why = Unusable(f"it must name its image{f' in {key}' if key else ''}")
            nameless.append(Document(f"detection {number}", None, why))
    told = [Document(f"image {name[:60]}", name, inside) for name, inside in images.items()]
    return told + nameless


def image_key(rows: Sequence[Any], keys: Sequence[str] = IMAGE_KEYS) -> str | None:
    """The key that names the image in nine of ten rows, or in as many as any; None without one.

    Args:
        rows: each of one detection.
        keys: in the order of preference.

    Raises:
        InvalidInput: if rows that it calls the same are of several images or videos.

    Example:
        >>> image_key([{"frame": 1, "file_name": "a.jpg"}, {"frame": 2, "file_name": "b.jpg"}])
        'file_name'
    """
    from labelnext_adapters.files.tables.guessed_ids import check_rows

    counts = {key: sum(isinstance(r, dict) and named(r, keys=(key,)) is not None for r in rows)
              for key in keys}  # fmt: skip
    enough = min(MOST * len(rows), max(counts.values()))
    key = next((key for key, count in counts.items() if count >= enough and count), None)
    if key is not None:
        check_rows(rows, key)
    return key
