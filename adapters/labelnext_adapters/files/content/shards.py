"""The files of a folder that holds parts of one table or list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from labelnext.adapter.sample import shards_of, suffix_of
from labelnext.errors import InvalidInput, listed
from labelnext.pool.objects import Notice
from labelnext_adapters.files.content.content import guarded
from labelnext_adapters.files.content.item_ids import read_identified
from labelnext_adapters.files.content.oddities import FEW, Broken, Oddities
from labelnext_adapters.files.content.unread_texts import refuse_folder
from labelnext_adapters.files.globs import base_of, is_glob, names_taken

T = TypeVar("T")


def shards_in(folder: Path) -> list[Path]:
    """The files of a folder that holds parts of one table or list, or those of a glob.

    Raises:
        InvalidInput: if the folder holds something else, too.
        NotFound: if the glob matches nothing.
    """
    if is_glob(folder):
        return _taken(folder)
    names = [p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()]
    if shards := shards_of(folder, names):  # of which writers leave some empty
        return [shard for shard in shards if shard.stat().st_size] or shards
    raise InvalidInput(
        f"a folder must hold files of one kind; got {listed(sorted(names), 6) or 'none'}.",
        hint="point path at one file, or move the others elsewhere.",
    )


def _taken(glob: Path) -> list[Path]:
    base, names = base_of(glob), names_taken(glob)
    if not names:
        refuse_folder(base, str(glob), glob.relative_to(base).as_posix())
    shards = [base / name for name in names]
    return [shard for shard in shards if shard.stat().st_size] or shards


def read_shards(path: Path, key: str | None = None) -> dict[str, list[tuple[str, Any]]]:
    """The records of each file of a folder, as of `read_identified`, by its name; or of one file.

    `Broken` stands for a file that can't be read.

    Args:
        path: of the folder or file.
        key: `source.key`.

    Raises:
        InvalidInput: if more than a tenth of the files can't be read, or the folder holds something
            else, too.
    """
    if not (path.is_dir() or is_glob(path)):
        return {path.name: read_identified(path, key)}
    shards = {}
    files = shards_in(path)
    read = readable(files, "JSON", partial(read_identified, key=key))
    for shard, records in zip(files, read, strict=True):
        name = shard.relative_to(base_of(path) if is_glob(path) else path).as_posix()
        if isinstance(records, Broken):
            shards[name] = [(name, records)]
            continue
        _refuse_coco(path, name, records)
        shards[name] = [
            (name if place == "the record" else f"{name} {place}", one) for place, one in records
        ]
    return shards


def readable(files: Sequence[Path], kind: str, read: Callable[[Path], T]) -> list[T | Broken]:
    """What `read` makes of each file, or why it can't be read, where these are few.

    Args:
        files: of a folder.
        kind: of the files, for a message.
        read: reads one.

    Raises:
        InvalidInput: if more than a tenth of the files can't be read; that of the first.
    """
    values: list[T | Broken] = []
    first: InvalidInput | None = None
    n_broken = 0
    for file in files:
        try:
            values.append(guarded(file.name, kind, partial(read, file)))
        except InvalidInput as error:
            first, n_broken = first or error, n_broken + 1
            why = error.message.removeprefix(f"{file.name}: ").rstrip(".")
            values.append(Broken(why))
    if first is not None and n_broken > FEW * len(files):
        raise first
    return values


def whole_parts(
    files: Sequence[Path], kind: str, read: Callable[[Path], T]
) -> tuple[list[tuple[Path, T]], list[Notice]]:
    """The files that can be read, each with what `read` makes of it; and a notice of the others.

    Raises:
        InvalidInput: as for `readable`.
    """
    odd, whole = Oddities("file", seen=len(files)), []
    for file, one in zip(files, readable(files, kind, read), strict=True):
        if isinstance(one, Broken):
            odd.leave_out(file.name, "", one.why)
        else:
            whole.append((file, one))
    return whole, odd.notices()


def _refuse_coco(folder: Path, name: str, records: list[tuple[str, Any]]) -> None:
    """Refuse a COCO data set among other files: it lists the images of one of them."""
    record = records[0][1] if len(records) == 1 else None
    if isinstance(record, Mapping) and {"images", "categories"} <= record.keys():
        raise InvalidInput(
            f"a folder must hold files of one kind; {name} is a COCO data set.",
            hint=f"point path at the file of predictions, and images at {folder / name}.",
        )


def read_all(path: Path, key: str | None = None) -> list[tuple[str, Any]]:
    """The records of a file, or of all files of a folder; arguments as for `read_shards`.

    Raises:
        InvalidInput: as for `read_shards`.
    """
    return [record for records in read_shards(path, key).values() for record in records]


def items_called(names: Iterable[str]) -> list[str]:
    """The items that files are about, by their names without the endings.

    Those in folders keep these where names repeat.

    Example:
        >>> items_called(["folder/a.jpg.json.gz", "part-0"])
        ['a.jpg', 'part-0']
        >>> items_called(["1/pred.json", "2/pred.json"])
        ['1/pred', '2/pred']
    """
    whole = [_without_ending(name) for name in names]
    alone = [name.rpartition("/")[2] for name in whole]
    return alone if len(set(alone)) == len(alone) else whole


def _without_ending(name: str) -> str:
    ending = suffix_of(Path(name))
    bare = name[: name.lower().rindex(ending)] if ending else name
    return name if bare.endswith("/") or not bare else bare
