"""The ranking as a file, with the earlier file kept for undo."""

from __future__ import annotations

import hashlib
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labelnext.adapter.protocol import Context
from labelnext.errors import ConfigError, WriteRefused
from labelnext.journal.carry_out import Performer
from labelnext.journal.journal import Journal
from labelnext.journal.plan import Plan, Step
from labelnext.ranking.files import ranking_format, write_ranking
from labelnext.ranking.ranking import Ranking
from labelnext.support.files import check_writable
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
    check_writable(path)
    if path in [file.absolute() for file in source.files]:
        raise ConfigError(f"write.output must differ from the source's files; got {str(path)!r}.")
    rows = ranking.pool_rows()
    step = Step(
        _STEP,
        f"Write {counted(len(rows), 'ranked item')} to {path}",
        len(rows),
        {"path": str(path), "rows": rows},
    )
    return Plan("files", write.run, str(path), (step,), output=str(path))


class FilePerformer(Performer):
    """Carries out and takes back the one step.

    Args:
        journal: beside which the earlier file is kept.
        context: for progress.
    """

    def __init__(self, journal: Journal, context: Context) -> None:
        self._journal, self.progress = journal, context.progress

    def snapshot(self, step: Step) -> Any:
        """Keep a copy of the file that is there."""
        path = Path(step.payload["path"])
        if not path.exists():
            return {"copy": None}
        copy = self._journal.path.with_suffix(f".before{path.suffix}")
        copy.touch(mode=0o600)  # of a file that others could not read, either
        shutil.copy2(path, copy)
        copy.chmod(0o600)
        return {"copy": copy.name, "mode": stat.S_IMODE(path.stat().st_mode)}

    def perform(self, step: Step) -> None:
        """Write the file, and note what was written."""
        path = Path(step.payload["path"])
        write_ranking(path, step.payload["rows"])
        self._journal.record("written", sha256=_sha256(path))

    def restore(self, step: Step, before: Any) -> list[str]:
        """Restore the earlier file, unless someone has changed ours since."""
        path = Path(step.payload["path"])
        ours = self._journal.notes.get("written", {}).get("sha256")
        if path.exists() and ours is not None and _sha256(path) != ours:
            raise WriteRefused(
                f"{str(path)!r} was changed after the run wrote it, so it stays as it is.",
                hint="move it away, then undo again.",
            )
        if before["copy"] is None:
            path.unlink(missing_ok=True)
        else:
            shutil.copy2(self._journal.path.with_name(before["copy"]), path)
            if "mode" in before:  # a copy beside a journal of format 1 has it itself
                path.chmod(before["mode"])
        return []


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
