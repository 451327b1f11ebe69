"""The ranking as a file, with the earlier file kept for undo."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labelnext.adapter.protocol import Context
from labelnext.adapter.sample import may_be_part
from labelnext.errors import ConfigError, WriteRefused
from labelnext.journal.carry_out import Performer
from labelnext.journal.journal import Journal
from labelnext.journal.plan import Plan, Step
from labelnext.ranking.files import ranking_format, write_ranking
from labelnext.ranking.ranking import Ranking
from labelnext.support.files import (
    as_supported,
    check_outputs,
    check_regular,
    real_path,
    same_file,
    sweep,
    write_atomically,
    write_failed,
)
from labelnext.support.started import from_here
from labelnext.support.words import counted

if TYPE_CHECKING:
    from labelnext_adapters.files.options import FilesWrite
    from labelnext_adapters.files.read import Input

_STEP = "ranking_file"


def make_plan(ranking: Ranking, source: Input, write: FilesWrite) -> Plan:
    """What writing the ranking would do.

    Raises:
        ConfigError: if the output cannot be written, or is the input itself.
    """
    if write.output is None:
        raise ConfigError("write.output must be the path of the ranking file; got None.")
    path = source.context.path(write.output).absolute()
    ranking_format(path)
    check_regular(path)
    inputs = {f"the source's files ({n})": file for n, file in enumerate(source.files, 1)}
    check_outputs({"write.output": path}, inputs)
    _check_no_part(path, source.path)
    rows = [row for row in ranking.pool_rows() if row["batch"] or write.order != "batch"]
    step = Step(
        _STEP,
        f"Write {counted(len(rows), 'ranked item')} to {from_here(str(path))}",
        len(rows),
        {
            "path": _from(source.context.directory, path),
            "rows": rows,
            **({"excel_safe": True} if write.excel_safe else {}),
        },
    )
    return Plan("files", write.run, str(path), (step,), output=str(path))


def _check_no_part(path: Path, source: Path | str) -> None:
    """Refuse to write over a file of the folder that is read, unless it is an earlier ranking.

    Raises:
        ConfigError: if the path is one.
    """
    if not (isinstance(source, Path) and source.is_dir() and path.is_file()):
        return
    folder, file = source.resolve(), path.resolve()
    endings = (".csv", ".jsonl", ".parquet")
    if file.suffix.lower() not in endings or not file.is_relative_to(folder):
        return
    if may_be_part(folder, file.relative_to(folder).as_posix()):
        shown = from_here(str(path))
        raise ConfigError(
            f"write.output must not be one of the files in source.path; got {shown}.",
            hint="name a file that isn't there yet, or an earlier ranking.",
        )


class FilePerformer(Performer):
    """Carries out and takes back the one step.

    Both may be killed anywhere and done again: the journal knows the content of the earlier file
    and of ours before either takes the other's place.

    Args:
        journal: beside which the earlier file is kept.
        context: for the folder of the configuration, and progress.
        output: `write.output`.
        source: `source.path`, which no journal may name as its output.
    """

    def __init__(
        self, journal: Journal, context: Context, output: Path | str | None, source: Path | str
    ) -> None:
        self._journal, self.progress = journal, context.progress
        self._directory = context.directory.absolute()
        self._output = None if output is None else context.path(output)
        self._source = context.path(source)

    def snapshot(self, step: Step) -> Any:
        """Keep a copy of the file that is there."""
        path = self._path(step)
        if not path.exists():
            return {"copy": None, "sha256": None}
        check_regular(path)
        copy = self._journal.path.with_suffix(f".before{path.suffix}.kept")
        try:
            there = path.stat()
            with path.open("rb") as file:
                write_atomically(copy, lambda kept: shutil.copyfileobj(file, kept), private=True)
        except OSError as error:
            raise write_failed(path, error) from error
        return {
            "copy": copy.name,
            "sha256": _sha256(copy),
            "mode": stat.S_IMODE(there.st_mode),
            "time": there.st_mtime_ns,
        }

    def perform(self, step: Step) -> None:
        """Write the file; what it holds is noted before it takes the earlier one's place."""
        path = self._path(step)
        before = self._journal.befores.get(0, {})
        if "sha256" in before and path.exists():
            self._check_ours(path, [before["sha256"], *self._ours()])

        def note(complete: Path) -> None:
            self._journal.record("written", sha256=[*self._ours(), _sha256(complete)])

        safe = bool(step.payload.get("excel_safe"))
        write_ranking(path, step.payload["rows"], excel_safe=safe, ready=note)

    def restore(self, step: Step, before: Any) -> list[str]:
        """Restore the earlier file, unless someone has changed ours since."""
        self._check_whole(before)
        path, ours = self._path(step), self._ours()
        sweep(real_path(path).parent)
        earlier = before.get("sha256")
        current = _sha256(path) if path.exists() else None
        noted = "sha256" in before  # older versions noted ours after the write, and no other
        if noted and (current == earlier or not ours):
            return []  # nothing was written yet, or an interrupted undo put the earlier file back
        if current is not None and ours:
            self._check_ours(path, ours)
        if before.get("copy") is not None:
            self._put_back(path, before, earlier)
            return []
        try:
            real_path(path).unlink(missing_ok=True)
        except OSError as error:
            raise write_failed(path, error) from error
        return []

    def _check_whole(self, before: Any) -> None:
        """Refuse a snapshot that `snapshot` can't have made."""
        kinds = {"copy": str, "sha256": str, "mode": int, "time": int}
        if not isinstance(before, dict) or not all(
            before.get(key) is None or isinstance(before[key], kind) for key, kind in kinds.items()
        ):
            raise self._damaged(before)

    def _damaged(self, what: object) -> ConfigError:
        return ConfigError(
            f"journal {str(self._journal.path)!r} is damaged: it holds {what!r:.60}.",
            hint="restore it from a backup; undo and resume need it.",
        )

    def _check_ours(self, path: Path, known: list[str | None]) -> None:
        """Refuse a file that somebody else changed after the run began."""
        if _sha256(path) not in known:
            raise WriteRefused(
                f"{str(path)!r} was changed after the run wrote it, so it stays as it is.",
                hint="move it away, then try again.",
            )

    def _put_back(self, path: Path, before: Any, earlier: str | None) -> None:
        """Let the kept copy take our file's place."""
        copy = self._journal.path.with_name(Path(before["copy"]).name)
        if not copy.is_file() or (earlier is not None and _sha256(copy) != earlier):
            raise ConfigError(
                f"{str(copy)!r} is missing or damaged; it holds what {str(path)!r} was before.",
                hint="restore it from a backup; undo needs it.",
            )

        def attributes(complete: Path) -> None:
            with as_supported():
                if "mode" in before:  # a copy beside a journal of format 1 has it itself
                    complete.chmod(before["mode"] & 0o7777)
                else:
                    shutil.copymode(copy, complete)
            when = before.get("time", copy.stat().st_mtime_ns)
            with suppress(OverflowError, OSError):  # some file systems have no such time
                os.utime(complete, ns=(when, when))

        with copy.open("rb") as file:
            write_atomically(path, lambda out: shutil.copyfileobj(file, out), ready=attributes)

    def _ours(self) -> list[str | None]:
        """Hashes of what this run wrote, or was about to write."""
        noted = self._journal.notes.get("written", {}).get("sha256", [])
        noted = [noted] if isinstance(noted, str) else noted
        if not isinstance(noted, list) or not all(isinstance(one, str) for one in noted):
            raise self._damaged(noted)
        return list(noted)

    def _path(self, step: Step) -> Path:
        """The file that the step is about.

        Raises:
            WriteRefused: if the configuration neither names it nor has it in its folder.
        """
        path = self._directory / str(step.payload.get("path", ""))
        ranking_format(path)
        inside = real_path(path).is_relative_to(os.path.realpath(self._directory))
        named = self._output is not None and same_file(path, self._output)
        if same_file(path, self._source) or not (inside or named):
            raise WriteRefused(
                f"run {self._journal.run_id} wrote {str(path)!r}, which this configuration doesn't "
                "name.",
                hint="if the run belongs to this configuration, set write.output to that path.",
            )
        return path


def _from(directory: Path, path: Path) -> str:
    """A path as the journal names it: from the configuration's folder, if it lies there.

    So a folder that is copied or moved takes its own ranking back.
    """
    try:
        return str(path.relative_to(directory.absolute()))
    except ValueError:
        return str(path)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise write_failed(path, error) from error
