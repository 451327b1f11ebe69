"""The file of a journal: its name, its header line, and one line per row."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from labelnext.errors import ConfigError, NotFound, concealed, revealed
from labelnext.journal.columns import lacks_secret, move_if_large, with_payload
from labelnext.journal.state import check_leads_somewhere
from labelnext.support.files import (
    sweep,
    sync_directory,
    temporary_file,
)
from labelnext.support.store import is_run_id

FORMAT = 2  # of journals; in format 1, the first line held all payloads and no format number
_BEGINNING, _NUMBERED = b'{"kind":"plan"', b'{"kind":"plan","format":'
_SNAPSHOT = b'{"kind":"before"'
_LONGEST = 1 << 28  # bytes of a line; a longer one is none of ours
_LACKS = "lacks a secret"  # of a row: it holds one that is not known, masked
_KEPT = ".kept"  # ends the name of a copy of what a run replaced
_BESIDE = (".arrow", _KEPT)  # endings of files that belong to a journal


class JournalFile:
    """The lines of a journal; large ones are read on demand.

    Args:
        path: path of the file, which must exist.

    Attributes:
        header: the first line; in format 1, only the part before the steps.
        rows: the other lines, without snapshots.

    Raises:
        NotFound: if the file doesn't exist.
        ConfigError: if it can't be read, isn't a journal, or has a newer format.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[dict[str, Any]] = []
        self._format = FORMAT
        self._snapshots: list[int] = []  # where their lines begin
        try:
            if path.exists() and not path.is_file():
                raise ConfigError(f"journal {str(path)!r} isn't a file.")
            with path.open("rb") as file:
                self.header = self._read_header(file)
                self._read_rows(file)
        except FileNotFoundError as error:
            raise NotFound(f"journal {str(path)!r} doesn't exist.") from error
        except OSError as error:
            why = error.strerror or error
            raise ConfigError(f"journal {str(path)!r} can't be read ({why}).") from error

    def plan(self) -> dict[str, Any]:
        """The plan as JSON; large payloads are read on first access.

        Raises:
            ConfigError: if the journal has no plan, or holds a secret that isn't known.
        """
        if _LACKS in self.header or any(_LACKS in row for row in self.snapshots()):
            raise lacks_secret(self.path)
        try:
            if self._format == FORMAT:
                plan = self.header["plan"]
                return {**plan, "steps": [with_payload(step, self.path) for step in plan["steps"]]}
            with self.path.open("rb") as file:
                return dict(json.loads(file.readline())["plan"])
        except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
            raise self.broken(error) from error

    def snapshots(self) -> list[dict[str, Any]]:
        """The rows with snapshots, in file order."""
        rows = []
        if self._snapshots:
            with self.path.open("rb") as file:
                for start in self._snapshots:
                    file.seek(start)
                    rows.append(_row(file.readline()))
        return [row for row in rows if row is not None]

    def append(self, row: dict[str, Any]) -> None:
        """Add a line, and sync it to disk.

        Args:
            row: the row, with its kind; a large snapshot goes to its own file.

        Raises:
            OSError: if the disk is full.
        """
        if row["kind"] == "before":
            move_if_large(row, "state", self.path.with_suffix(f".before-{row['step']}.arrow"))
        with open(self.path, "rb+", opener=_appending) as file:
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")  # the last process died while writing a line
            _write(file, row)

    def broken(self, error: Exception) -> ConfigError:
        """The error for a damaged line."""
        return ConfigError(f"journal {str(self.path)!r} is damaged ({error!r}).")

    def _read_header(self, file: IO[bytes]) -> dict[str, Any]:
        line = file.read(len(_NUMBERED))
        not_a_journal = ConfigError(
            f"{str(self.path)!r} isn't a journal: it doesn't start with a plan."
        )
        if not line.startswith(_BEGINNING):  # it may be any file: read no more of it
            raise not_a_journal
        line += file.readline(_LONGEST)
        if not line.startswith(_NUMBERED):
            self._format = 1
            line = line[: line.find(b',"steps":[')] + b"}}" if line.endswith(b"\n") else b""
        header = _row(line) or {}
        number = header.get("format", self._format)
        if isinstance(number, int) and number > FORMAT:
            raise ConfigError(
                f"journal {str(self.path)!r} has format {number}; this version reads formats up to "
                f"{FORMAT}.",
                hint=f"update labelnext: version {header.get('labelnext', 'unknown')} wrote it.",
            )
        if number != self._format:
            raise not_a_journal
        plan = header.get("plan")
        texts = [header.get("run_id"), header.get("started")]
        texts += [plan.get("adapter"), plan.get("target")] if isinstance(plan, dict) else [None]
        if not all(isinstance(text, str) for text in texts):
            raise not_a_journal
        if texts[0] != self.path.stem:  # files of a run are found, and removed, by its id
            raise ConfigError(
                f"journal {str(self.path)!r} is damaged: it is called otherwise than its run, "
                f"{texts[0]!r}."
            )
        return header

    def _read_rows(self, file: IO[bytes]) -> None:
        start = file.tell()
        while line := file.readline(_LONGEST):
            row = None
            if line.startswith(_SNAPSHOT):  # may be large and is rarely needed
                self._snapshots.append(start)
            else:
                row = _row(line)
            if row is not None:
                self.rows.append(row)
            start += len(line)


def create_file(directory: Path, plan: Mapping[str, Any], details: Mapping[str, Any]) -> Path:
    """Create a journal that holds only its header, synced to disk with all payloads.

    Args:
        directory: folder of the journals, created if missing.
        plan: the plan as JSON.
        details: more JSON for the header.

    Raises:
        OSError: if the disk is full or the directory isn't writable.
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
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number, step in enumerate(steps):
            move_if_large(step, "payload", path.with_suffix(f".plan-{number}.arrow"))
        with temporary_file(directory) as (partial, file):
            _write(file, header)
            partial.rename(path)  # so that a journal always has its plan
        sync_directory(directory)
    except Exception:
        for unused in directory.glob(f"{path.stem}.*"):
            with suppress(OSError):
                unused.unlink()
        raise
    return path


def journal_paths(directory: Path) -> Iterator[Path]:
    """The likely journal files of a state folder, oldest first.

    Raises:
        ConfigError: if the folder is there, but can't be read.
    """
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        check_leads_somewhere(directory)
        return
    except NotADirectoryError as error:
        raise ConfigError(
            f"state must be a folder; got {str(directory)!r}, a file.", hint="name a new folder."
        ) from error
    except OSError as error:
        raise ConfigError(
            f"state must be a folder that can be read; got {str(directory)!r} ({error.strerror}).",
            hint="only the user who made its runs can read them; for your own runs, set state: to "
            "another folder, such as .labelnext-${USER}.",
        ) from error
    for path in sorted(directory / name for name in names if name.endswith(".jsonl")):
        run_id, _, rest = path.stem.partition(".")
        if rest != "before" or not is_run_id(run_id):  # else it's a ranking kept for undo
            yield path


def sweep_state(directory: Path) -> None:
    """Remove what nothing needs in a state folder; the caller holds its lock.

    These are temporary files of dead processes, files beside a journal that was never completed,
    and copies of what a run replaced, once its undo has ended.
    """
    sweep(directory)
    sweep(directory / "history")
    for path in directory.iterdir():
        run_id, dot, ending = path.name.partition(".")
        if not dot or not is_run_id(run_id):
            continue
        journal = directory / f"{run_id}.jsonl"
        unused = ending.endswith(_BESIDE) and not os.path.lexists(journal)
        unused = unused or (ending.endswith(_KEPT) and _undone(journal))
        with suppress(OSError):
            if ending == "sort":  # an ordering that was killed begins again
                shutil.rmtree(path)
            elif unused or ending.endswith("partial"):
                path.unlink()


def _undone(journal: Path) -> bool:
    """Whether the undo of a run has ended, so that nothing it kept is needed any more."""
    try:
        return any(row.get("kind") == "undone" for row in JournalFile(journal).rows)
    except ConfigError:
        return False


def _new_run_id(directory: Path, now: datetime) -> str:
    """A run id that sorts after all others in the folder."""
    run_id = f"{now:%Y%m%dT%H%M%S-%f}"
    earlier = max((p.stem for p in directory.glob("*.jsonl") if is_run_id(p.stem)), default="")
    # Names must sort by age even if the clock was set back.
    return run_id if run_id > earlier else f"{earlier}0"


def _version() -> str:
    from importlib.metadata import version

    return version("labelnext")


def _row(line: bytes) -> dict[str, Any] | None:
    """The content of a line; None if the process died while writing it."""
    try:
        text, whole = revealed(line.decode())
        row = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(row, dict):
        return None
    return row if whole else {**row, _LACKS: True}


def _appending(path: str, flags: int) -> int:
    """Opener: what is written goes to the end, even if another process wrote meanwhile."""
    return os.open(path, flags | os.O_APPEND)


def _write(file: IO[bytes], row: Mapping[str, Any]) -> None:
    text = json.dumps(row, ensure_ascii=True, separators=(",", ":"))
    kind = text.find('"', len('{"kind":"')) + 1  # stays readable, whatever the secrets are
    file.write((text[:kind] + concealed(text[kind:])).encode() + b"\n")
    file.flush()
    os.fsync(file.fileno())
