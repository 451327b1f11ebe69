"""File formats: how the files adapter reads a path.

A format is a `Format` registered as an entry point in the group ``labelnext.formats``, by labelnext
or any other package. Its options are keys of `source`, like those of the adapter.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from labelnext.adapter.foreign import refuse_foreign
from labelnext.adapter.options import Options
from labelnext.adapter.protocol import Context, Part
from labelnext.adapter.sample import Sample, suffix_of
from labelnext.errors import ConfigError, LabelnextError, LabelnextWarning, listed
from labelnext.support.plugins import Table
from labelnext.support.rows import check_row
from labelnext.support.started import how

if TYPE_CHECKING:
    import pyarrow as pa

    from labelnext.pool.pool import Pool

#: Keys of `source` that a format can't use for its own options.
TAKEN = ("adapter", "key", "predictions", "model", "embeddings", "path", "format", "max_unpacked")


class InParts(Protocol):
    """A pool that is read in parts because it may not fit in memory."""

    def parts(self) -> list[Part]:
        """The parts, in a stable order."""

    def read_part(self, part: Part, more: Sequence[str] = ()) -> tuple[Pool, pa.Array]:
        """The items of a part, numbered from 0, and their ids; `more` adds embedding or group."""

    def rows(self, item_ids: Sequence[str], more: Sequence[str]) -> pa.Table | None:
        """The rows of these items, from any part; None if there are none."""

    def read(self) -> Pool:
        """All items, in memory."""


def _no_files(options: Any, context: Context) -> Sequence[Path]:
    return ()


@dataclass(frozen=True)
class Format:
    """A file format.

    A path is a file or folder on this machine, possibly with wild cards, or the text of a URL.

    Attributes:
        name: as in `source.format`.
        summary: what it reads, in one line.
        endings: file name endings, in lower case and with the dot.
        Options: its own keys of `source`, each with a string below it that describes it.
        read: ``read(path, options, context)`` returns all items; a ValueError or OSError means
            that the file is broken.
        files: ``files(options, context)`` returns other files it reads; rankings never overwrite
            them.
        recognises: ``recognises(path)``, if endings aren't enough: for globs and URLs. Formats with
            such a test take precedence over endings.
        evidence: ``evidence(sample)`` looks at the content of a file or folder on this machine, and
            says in words why it has this format, or returns None. Evidence takes precedence over
            everything but needed options.
        of_json: whether only JSON has its evidence, which is then asked for nothing but JSON and
            folders, whose files may be JSON.
        recognised_by: what it recognises, in words; the endings if empty.
        needs: options that must be set to choose it for a path, unless `source.format` names it.
        many_of: for a format that reads many files, the format of each; `source.format` may name
            that one instead.
        table: ``table(path, options, context)`` returns the rows as an Arrow table, if the format
            has columns; the images of a batch come from one of them.
        open_parts: ``open_parts(path, options, context)``, for a pool that is read in parts.
        names: ``names(path, options, context)`` returns what people call the items by their ids,
            such as the file names of images; None where ids are names.
        image_folders: ``image_folders(path, options, context)`` returns further folders that may
            hold the items' images, beside the path and the usual ones next to it.
    """

    name: str
    summary: str
    endings: tuple[str, ...]
    Options: type[Options]
    read: Callable[[Path | str, Any, Context], Pool]
    files: Callable[[Any, Context], Sequence[Path]] = _no_files
    recognises: Callable[[Path | str], bool] | None = None
    evidence: Callable[[Sample], str | None] | None = None
    of_json: bool = False
    recognised_by: str = ""
    needs: tuple[str, ...] = ()
    many_of: str | None = None
    table: Callable[[Path | str, Any, Context], pa.Table] | None = None
    open_parts: Callable[[Path | str, Any, Context], InParts] | None = None
    names: Callable[[Path, Any, Context], Mapping[str, str]] | None = None
    image_folders: Callable[[Path, Any, Context], Sequence[Path]] | None = None

    def __post_init__(self) -> None:
        """Check that each field has its type, and that endings can be met.

        Raises:
            LabelnextError: if one has not; a fault in the row.
        """
        check_row(self, "format")
        for ending in self.endings:
            if ending != ending.lower() or not ending.startswith("."):
                raise LabelnextError(
                    f"endings of the format {self.name} must be in lower case and begin with a "
                    f"dot; got {ending!r}."
                )

    @property
    def known_by(self) -> str:
        """What it recognises, in words."""
        return self.recognised_by or ", ".join(self.endings)

    def takes(self, path: Path | str) -> bool:
        """Whether a path seems to have this format, by its name alone or its own test."""
        if self.recognises is None:
            return isinstance(path, Path) and suffix_of(path) in self.endings
        try:
            return bool(self.recognises(path))
        except (OSError, ValueError):  # the file is missing or isn't text
            return False

    def reason(self, sample: Sample | None) -> str | None:
        """Why the content of a path has this format, in words; None if it hasn't."""
        if self.evidence is None or sample is None:
            return None
        try:
            if self.of_json and not sample.may_hold_json:
                return None
            why = self.evidence(sample)
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return None  # the content has the wrong shape
        except Exception as error:  # of another package, which no other file has to pay for
            message = f"the format {self.name} can't look at files: {type(error).__name__}: {error}"
            warnings.warn(f"{message}.", LabelnextWarning, stacklevel=2)
            return None
        return why if isinstance(why, str) else None


@dataclass(frozen=True)
class Recognition:
    """The format of a path.

    Attributes:
        format: the format.
        why: what shows it, as the end of a sentence: "its name ends in .csv".
    """

    format: Format
    why: str


def _fault(value: object) -> str | None:
    if not isinstance(value, Format):
        return f"it must be an instance of Format; got {type(value).__name__}"
    options: object = value.Options
    if not (isinstance(options, type) and issubclass(options, Options)):
        return "its Options must be a subclass of labelnext.adapter.Options"
    taken = sorted(set(TAKEN) & options.model_fields.keys())
    return f"{taken[0]} is an option of every source, and cannot be its own" if taken else None


FORMATS: Table[Format] = Table("labelnext.formats", "format", _fault)


def get_format(name: str) -> Format:
    """Look up a format by name.

    Raises:
        UnknownName: if there is no such format; the hint suggests the closest name.
        ConfigError: if the format can't be used.

    Example:
        >>> get_format("csv").endings
        ('.csv', '.tsv', '.tab')
    """
    return FORMATS.get(name)


def format_names() -> list[str]:
    """The names of all formats, including other packages' ones.

    Example:
        >>> "parquet" in format_names()
        True
    """
    return FORMATS.names()


def recognised(path: Path | str, stated: str | None = None, given: Collection[str] = ()) -> Format:
    """The format of a path: as for `recognition`.

    Example:
        >>> recognised(Path("pool.csv")).name
        'csv'
    """
    return recognition(path, stated, given).format


def recognition(
    path: Path | str, stated: str | None = None, given: Collection[str] = ()
) -> Recognition:
    """The format of a path, by its content, its own test or the end of its name, and the reason.

    Args:
        path: path on this machine, or the text of a URL.
        stated: `source.format`, which decides if it isn't None.
        given: the options of `source` that aren't null.

    Raises:
        UnknownName: if no format has the stated name.
        ConfigError: if no format recognises the path, or several do, or it holds no predictions.

    Example:
        >>> recognition(Path("pool.csv")).why
        'its name ends in .csv'
        >>> recognition(Path("pool.json"), given=["images"]).why
        'images is set'
    """
    formats = [get_format(name) for name in format_names()]
    if stated is not None:
        of_many = (f for f in formats if f.many_of == stated and f.takes(path))
        return Recognition(next(of_many, get_format(stated)), "source.format says so")
    sample = _sample(path)
    told = "" if sample is None or sample.ending == sample.suffix else sample.ending
    claims: dict[str, tuple[tuple[int, bool, bool, bool], str]] = {}
    for one in formats:
        reason = one.reason(sample)
        like = told in one.endings
        needed = bool(one.needs) and set(one.needs) <= set(given)
        if reason is None and not ((like or one.takes(path)) and (needed or not one.needs)):
            continue
        why = reason or (f"{' and '.join(one.needs)} is set" if needed else _by_name(one, path))
        if reason is None and like and not needed and not one.takes(path):
            why = _by_content(sample, told)
        n_needed, own_test = len(one.needs) if needed else 0, one.recognises is not None
        claims[one.name] = (n_needed, reason is not None, like, own_test), why
    if not claims:
        if isinstance(path, Path):
            refuse_foreign(path)
        endings = [ending for f in formats for ending in f.endings]
        words = [f", or be {f.recognised_by}" for f in formats if not f.endings and not f.evidence]
        raise ConfigError(
            f"path must end in one of {', '.join(dict.fromkeys(endings))}{''.join(words)}; "
            f"got {Path(path).name!r}, which is in no other format that labelnext recognises.",
            hint="unpack it first."
            if Path(path).suffix.lower() in (".zip", ".7z", ".tar", ".tgz", ".rar")
            else f"set source.format ({how('formats')} lists them), or convert it to CSV or JSONL; "
            "a table needs the names of its columns in the first line.",
        )
    best = max(rank for rank, _ in claims.values())
    names = [name for name, (rank, _) in claims.items() if rank == best]
    if len(names) > 1:
        raise ConfigError(
            f"path must match exactly one format; {Path(path).name!r} matches {listed(names)}.",
            hint="set source.format to one of them.",
        )
    return Recognition(get_format(names[0]), claims[names[0]][1])


def _sample(path: Path | str) -> Sample | None:
    """What recognises a path by its content; None if nothing is there.

    Raises:
        ConfigError: if it is a folder of a kind that holds no predictions.
    """
    if not isinstance(path, Path) or not path.exists():
        return None
    if path.is_dir():
        refuse_foreign(path)
    return Sample(path)


def _by_content(sample: Sample | None, told: str) -> str:
    what = {".json": "JSON", ".jsonl": "JSON on each line", ".ndjson": "JSON on each line"}
    is_folder = sample is not None and sample.is_folder
    kind = what.get(told, told[1:].capitalize() if len(told) > 4 else told[1:].upper())
    return f"its {'files' if is_folder else 'content'} {'are' if is_folder else 'is'} {kind}"


def _by_name(format_: Format, path: Path | str) -> str:
    if format_.recognises is not None:
        return f"it is {format_.recognised_by}" if format_.recognised_by else "its own test says so"
    return f"its name ends in {suffix_of(Path(path))}"
