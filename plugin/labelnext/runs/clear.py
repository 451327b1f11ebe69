"""clear(config): remove what the state folder keeps of old runs, which then can't be undone."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from labelnext.config.config import Config
from labelnext.config.outline import load_outline
from labelnext.errors import WriteFailed
from labelnext.journal.journal import Journal, journals
from labelnext.journal.lock import only_run
from labelnext.ranking.recipe import check_whole
from labelnext.runs.belonging import belongs
from labelnext.support.refused import refusals_told

KEEP = 30


@dataclass(frozen=True)
class Cleared:
    """What was removed, or would be.

    Attributes:
        runs: the ids of the runs, oldest first.
        size: of their files, in bytes.
        dry_run: whether nothing was removed.
    """

    runs: tuple[str, ...]
    size: int
    dry_run: bool

    def to_json(self) -> str:
        """The result as JSON text."""
        return json.dumps(asdict(self), indent=2)


@refusals_told()
def clear(
    config: Config | Path | str | Mapping[str, Any], *, keep: int = KEEP, dry_run: bool = False
) -> Cleared:
    """Remove what the state folder keeps of a configuration's old runs.

    Of each place that it writes to, the newest `keep` runs that are done stay with everything after
    the oldest of them, and so do all runs that were interrupted. What was written stays as it is;
    the runs that are cleared can't be undone any more, and `status` forgets them.

    Args:
        config: a checked configuration, the path of a YAML file, or its content as a mapping.
        keep: how many runs stay, at least 1.
        dry_run: remove nothing; say what would be removed.

    Raises:
        InvalidInput: if `keep` is no whole number from 1.
        Busy: if a run goes on.
        WriteFailed: if a file can't be removed; those before it are.
    """
    check_whole("keep", keep, 1, "the newest run always stays.")
    settings = config if isinstance(config, Config) else load_outline(config)
    state = settings.state
    if not state.is_dir():
        return Cleared((), 0, dry_run)
    with nullcontext() if dry_run else only_run(state):
        own = [journal for journal in journals(state) if belongs(journal, settings)]
        old = [journal for each in _by_place(own) for journal in _old(each, keep)]
        old.sort(key=lambda journal: journal.run_id)
        runs = [journal.run_id for journal in old]
        files = _files(state, runs)
        size = sum(path.stat().st_size for path in files)
        if not dry_run:
            _remove(files)
    return Cleared(tuple(runs), size, dry_run)


def _by_place(known: Sequence[Journal]) -> list[list[Journal]]:
    """The journals of each place and kind of run, oldest first."""
    groups: dict[tuple[str, str, str], list[Journal]] = {}
    for journal in known:
        name = str(journal.header["plan"].get("run"))
        groups.setdefault((journal.what, journal.target, name), []).append(journal)
    return list(groups.values())


def _old(known: Sequence[Journal], keep: int) -> list[Journal]:
    """The journals that aren't needed: before the newest that stay, and with nothing unfinished."""
    done = [journal.run_id for journal in known if journal.status == "done"]
    if len(done) < keep:
        return []
    oldest = done[-keep]
    return [
        journal
        for journal in known
        if journal.run_id < oldest and journal.status != "broken" and journal.kept_for is None
    ]


def _files(state: Path, runs: Collection[str]) -> list[Path]:
    """The files of these runs, each journal the last: without one, the next run removes the others.

    The folder is listed once, as it may hold thousands of runs.
    """
    known = {*runs}
    paths = [*(state / "history").glob("*.npz"), *state.iterdir()]
    found = [path for path in paths if _run_of(path) in known and path.is_file()]
    return sorted(found, key=lambda path: (_run_of(path), path.name == f"{_run_of(path)}.jsonl"))


def _run_of(path: Path) -> str:
    return path.name.partition(".")[0]


def _remove(files: Sequence[Path]) -> None:
    for path in files:
        try:
            path.unlink()
        except OSError as error:
            raise WriteFailed(
                f"{str(path)!r} can't be removed: {error.strerror}.",
                hint="give this user the right to, then clear again.",
            ) from error


__all__ = ["KEEP", "Cleared", "clear"]
