"""The file of a journal: its name, its header, and the rows that follow, a line each."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from labelnext.errors import ConfigError, NotFound
from labelnext.journal.columns import move_if_large, private, sync_directory, with_payload

FORMAT = 2  # of journals; in format 1 the first line held all payloads, and no number
_BEGINNING, _NUMBERED = b'{"kind":"plan"', b'{"kind":"plan","format":'
_SNAPSHOT = b'{"kind":"before"'
_RUN_ID = re.compile(r"\d{8}T\d{6}-\d{6}0*")


class JournalFile:
    """The lines of a journal; those that may be large are read when they are asked for.

    Args:
        path: of the file; it must exist.

    Attributes:
        header: the first line; of a journal of format 1 only what comes before the steps.
        rows: the lines that follow, without snapshots.

    Raises:
        NotFound: if there is no such file.
        ConfigError: if it cannot be read, is not a journal, or is of a newer format.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[dict[str, Any]] = []
        self._format = FORMAT
        self._snapshots: list[int] = []  # where their lines begin
        try:
            if path.exists() and not path.is_file():
                raise ConfigError(f"journal must be a file; {str(path)!r} is not.")
            with path.open("rb") as file:
                self.header = self._read_header(file)
                self._read_rows(file)
        except FileNotFoundError as error:
            raise NotFound(f"journal must exist; got {str(path)!r}.") from error
        except OSError as error:
            why = error.strerror or error
            raise ConfigError(
                f"journal must be a file that can be read; {str(path)!r} is not ({why})."
            ) from error

    def plan(self) -> dict[str, Any]:
        """The plan as JSON; a large payload is read when it is asked for.

        Raises:
            ConfigError: if there is none.
        """
        try:
            if self._format == FORMAT:
                plan = self.header["plan"]
                return {**plan, "steps": [with_payload(step, self.path) for step in plan["steps"]]}
            with self.path.open("rb") as file:
                return dict(json.loads(file.readline())["plan"])
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise self.broken(error) from error

    def snapshots(self) -> list[dict[str, Any]]:
        """The rows with snapshots, in their order."""
        rows = []
        if self._snapshots:
            with self.path.open("rb") as file:
                for start in self._snapshots:
                    file.seek(start)
                    rows.append(_row(file.readline()))
        return [row for row in rows if row is not None]

    def append(self, row: dict[str, Any]) -> None:
        """Add a line; it is on disk when this returns.

        Args:
            row: with kind; a large state of a snapshot goes into a file that the row then names.

        Raises:
            OSError: if the disk is full.
        """
        if row["kind"] == "before":
            move_if_large(row, "state", self.path.with_suffix(f".before-{row['step']}.arrow"))
        with self.path.open("rb+") as file:
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")  # the last process died in the middle of a line
            _write(file, row)

    def broken(self, error: Exception) -> ConfigError:
        """The error for a line that says what no journal says."""
        return ConfigError(f"journal must be whole; {str(self.path)!r} is not ({error!r}).")

    def _read_header(self, file: IO[bytes]) -> dict[str, Any]:
        line = file.read(len(_NUMBERED))
        not_a_journal = ConfigError(f"journal must begin with a plan; {str(self.path)!r} does not.")
        if not line.startswith(_BEGINNING):  # nothing more is read of what may be anything
            raise not_a_journal
        line += file.readline()
        if not line.startswith(_NUMBERED):
            self._format = 1
            line = line[: line.find(b',"steps":[')] + b"}}" if line.endswith(b"\n") else b""
        header = _row(line) or {}
        number = header.get("format", self._format)
        if isinstance(number, int) and number > FORMAT:
            raise ConfigError(
                f"journal must be of format {FORMAT} or older; {str(self.path)!r} is of {number}.",
                hint=f"update labelnext: {header.get('labelnext', 'a newer version')} wrote it.",
            )
        if number != self._format:
            raise not_a_journal
        try:
            _ = header["run_id"], header["started"], header["plan"]["target"]
        except (LookupError, TypeError) as error:
            raise not_a_journal from error
        return header

    def _read_rows(self, file: IO[bytes]) -> None:
        start = file.tell()
        for line in file:
            row = None
            if line.startswith(_SNAPSHOT):  # may be large, and is seldom needed
                self._snapshots.append(start)
            else:
                row = _row(line)
            if row is not None:
                self.rows.append(row)
            start += len(line)


def create_file(directory: Path, plan: Mapping[str, Any], details: Mapping[str, Any]) -> Path:
    """A new journal with nothing but its header, safely on disk with all payloads.

    Args:
        directory: made if missing.
        plan: as JSON.
        details: what else the header holds, as JSON.

    Raises:
        OSError: if the disk is full or the directory cannot be written.
    """
    now = datetime.now(UTC)
    path = directory / f"{_new_run_id(directory, now)}.jsonl"
    steps = [dict(step) for step in plan["steps"]]
    header = {
        "kind": "plan",
        "format": FORMAT,
        "run_id": path.stem,
        "started": now.isoformat(timespec="seconds"),
        "labelnext": _version(),
        **details,
        "plan": {**plan, "steps": steps},
    }
    partial = path.with_suffix(".partial")
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number, step in enumerate(steps):
            move_if_large(step, "payload", path.with_suffix(f".plan-{number}.arrow"))
        with open(partial, "wb", opener=private) as file:
            _write(file, header)
        partial.rename(path)  # a journal without its plan would stand in the way of all others
        sync_directory(directory)
    except Exception:
        for unused in directory.glob(f"{path.stem}.*"):
            with suppress(OSError):
                unused.unlink()
        raise
    return path


def is_run_id(name: str) -> bool:
    """Whether runs have such names."""
    return _RUN_ID.fullmatch(name) is not None


def journal_paths(directory: Path) -> Iterator[Path]:
    """The files of a state folder that should be journals, the oldest first."""
    for path in sorted(directory.glob("*.jsonl")):
        run_id, _, rest = path.stem.partition(".")
        if rest != "before" or not is_run_id(run_id):  # a ranking that is kept for the undo
            yield path


def _new_run_id(directory: Path, now: datetime) -> str:
    """A name later than those of all runs in the folder."""
    run_id = f"{now:%Y%m%dT%H%M%S-%f}"
    earlier = max((p.stem for p in directory.glob("*.jsonl") if is_run_id(p.stem)), default="")
    # The clock may have been set back: names must still tell the order.
    return run_id if run_id > earlier else f"{earlier}0"


def _version() -> str:
    from importlib.metadata import version

    return version("labelnext")


def _row(line: bytes) -> dict[str, Any] | None:
    """The content of a line; None where the death of the process cut it off."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def _write(file: IO[bytes], row: Mapping[str, Any]) -> None:
    text = json.dumps(row, ensure_ascii=True, separators=(",", ":"))
    file.write(text.encode() + b"\n")
    file.flush()
    os.fsync(file.fileno())
