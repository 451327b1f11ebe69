"""Keys of `source` for files: those that every format shares, and those of each format."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache, reduce
from operator import or_
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Gt
from pydantic import (
    BeforeValidator,
    Field,
    ValidationError,
    WrapValidator,
    create_model,
    field_validator,
)
from pydantic.fields import FieldInfo

from labelnext.adapter.formats import Format, format_names, get_format, recognised
from labelnext.adapter.options import Options, WriteOptions, described
from labelnext.adapter.protocol import Context
from labelnext.adapter.sample import suffix_of
from labelnext.errors import ConfigError, LabelnextError
from labelnext.support.plugins import offers
from labelnext.support.store import is_url
from labelnext.support.words import joined
from labelnext_adapters.files.globs import folder_of

# A URL stays text: as a path its slashes would be lost.
Place = Annotated[
    Path | str,
    BeforeValidator(lambda v: Path(v) if isinstance(v, str) and "://" not in v else v),
]


class FilesSource(Options):
    """Keys of `source` that every format shares; `source_model` adds those of the formats."""

    path: Place
    """The predictions: a file, folder or glob in one of the formats that labelnext formats lists,
    or a URL of Parquet files; of Parquet they may be larger than memory."""
    format: str | None = Field(None, json_schema_extra=offers(format_names))
    """Format of the file (see labelnext formats); null goes by its content and name."""

    pictures: Path | None = None
    """Folder with the images that the report shows and send takes, named as the items; null: that
    of the predictions, and images in it or beside it."""

    max_unpacked: Annotated[float, Gt(0)] | None = None
    """GiB that a file may unpack to; null: half of the memory, and above 1 GiB no more than 100
    times the file's size."""

    told: ClassVar[str | None] = None  # the format, once it is known

    @field_validator("format")
    @classmethod
    def _known(cls, name: str | None) -> str | None:
        return None if name is None else get_format(name).name

    def __reduce__(self) -> tuple[Any, ...]:
        """Models are made as they are needed: a worker makes its own."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        return _restored, (self.told, values, self.model_fields_set)


def _restored(told: str | None, values: dict[str, Any], given: set[str]) -> FilesSource:
    return source_model(told).model_construct(given, **values)


class FilesWrite(WriteOptions):
    """Keys of `write` for files; `output` is where the ranking goes."""

    output: Place | None = Path("ranking.csv")  # type: ignore[assignment]  # wider than the base's
    """File for the ranking: .csv, .jsonl or .parquet; for a folder of Parquet files, a folder or
    URL, ranking/ by default."""
    order: Literal["all", "batch", "approximate"] | None = None
    """all: every ranked item; batch: the batch alone, which a pool in parts finds much faster;
    approximate: the batch, and approximate ranks of all others. null: all, and above 50 million
    items batch."""


def place_of(path: Path | str, context: Context) -> Path | str:
    """A path of `source` where it is: on this machine, or the text of a URL.

    A glob that takes all of a folder's files is the folder.

    Raises:
        ConfigError: if it is the whole disk, which would take hours to look through.
    """
    if is_url(path):
        return str(path)
    place = context.path(path)
    if place.is_dir() and os.path.samefile(place, place.absolute().anchor):
        raise ConfigError(
            f"path must be a file or a folder of predictions; got {str(path)!r}, the whole disk."
        )
    return folder_of(place) or place


def given_model(data: Mapping[str, Any], directory: Path) -> type[FilesSource]:
    """The keys of `source` that go with these data; those of all formats, if none is recognised.

    Args:
        data: of `source`, as they were given.
        directory: where relative paths begin.
    """
    path, stated = data.get("path"), data.get("format")
    given = [name for name, value in data.items() if value is not None]
    if not isinstance(path, Path | str):
        return source_model(None)
    try:
        place = place_of(path, Context(directory))
        known = recognised(place, stated, given)
        if stated is None and not known.needs and _could_be_another(place, known):
            return source_model(None)
        return source_model(known.name)
    except (LabelnextError, OSError):  # said where the value is checked, or when the file is read
        return source_model(None)


def _could_be_another(place: Path | str, known: Format) -> bool:
    """Whether nothing is there to look at, and several formats have names that end like it."""
    if not isinstance(place, Path) or place.exists() or known.recognises is not None:
        return False
    formats = map(get_format, format_names())
    return any(suffix_of(place) in f.endings for f in formats if f is not known)


@cache
def source_model(told: str | None) -> type[FilesSource]:
    """The keys of `source` for one format; with those of the others, which must stay as they are.

    Args:
        told: name of the format; all keys of all formats are taken when None.
    """
    chosen = None if told is None else get_format(told)
    readers = _readers()
    fields: dict[str, Any] = {}
    for name, formats in readers.items():
        if chosen is None:
            fields[name] = _described(name, formats)
        elif chosen not in formats:
            fields[name] = _foreign(name, formats, chosen)
    bases: Any = (FilesSource,) if chosen is None else (FilesSource, chosen.Options)
    model: type[FilesSource] = create_model(
        "FilesSource",
        __base__=bases,
        __module__=__name__,
        __doc__="Keys of `source` for files.",
        **fields,
    )
    model.told = told
    return model


def _readers() -> dict[str, list[Format]]:
    """The formats that read each option, the options of the most formats first."""
    readers: dict[str, list[Format]] = {}
    for format_ in map(get_format, format_names()):
        for name in format_.Options.model_fields:
            readers.setdefault(name, []).append(format_)
    return dict(sorted(readers.items(), key=lambda entry: -len(entry[1])))


def _described(name: str, formats: list[Format]) -> tuple[Any, FieldInfo]:
    """An option of some formats; its text says which ones read it."""
    kinds, texts = [], dict[str, list[str]]()
    for format_ in formats:
        field = described(format_.Options)[name]
        kind = _kind(field)
        if kind not in kinds:
            kinds.append(kind)
        texts.setdefault(field.description or "", []).append(format_.name)
    text = " ".join(f"{joined(names)}: {text}" for text, names in texts.items())
    if len(texts) == 1:
        text = f"{next(iter(texts))} Read by {joined([f.name for f in formats])}."
    first = formats[0].Options.model_fields[name]
    kind = reduce(or_, [*kinds, None] if first.is_required() else kinds)
    return kind, Field(_default(first), description=text.strip())


def _foreign(name: str, formats: list[Format], chosen: Format) -> tuple[Any, FieldInfo]:
    """An option of other formats, which must keep its default."""
    field = formats[0].Options.model_fields[name]
    default = _default(field)

    def refuse(value: object, handler: Callable[[object], object]) -> object:
        try:
            if handler(value) == default:
                return default
        except ValidationError:
            pass
        known = list(chosen.Options.model_fields)
        raise ConfigError(
            f"{name} must be left out of {chosen.name} files; it belongs to "
            f"{joined([f.name for f in formats])}.",
            hint=_EXPORT
            if name == "label_config"
            else f"{chosen.name} reads {joined(known) if known else 'no options'}{_more(value)}.",
        )

    return Annotated[_kind(field) | None, WrapValidator(refuse)], Field(default)


def _more(value: object) -> str:
    """What to do where there is no column of images to name."""
    asked = isinstance(value, Mapping) and "media" in value
    return "; images that are named as the items are found in source.pictures" if asked else ""


_EXPORT = (
    "export a Label Studio project as JSON, in a snapshot with its predictions; other files need "
    "no labelling setup."
)


def _kind(field: FieldInfo) -> Any:
    kind = field.annotation
    return Annotated[(kind, *field.metadata)] if field.metadata else kind


def _default(field: FieldInfo) -> Any:
    return None if field.is_required() else field.get_default(call_default_factory=True)
