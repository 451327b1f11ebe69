"""Rankings of a large pool on a disk of its own that is full; a script of `test_full_disk`.

Where a file system must not be mounted, no file may grow beyond what is left.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa

import labelnext
from labelnext.errors import LabelnextError
from labelnext.runs.undo import resume, runs, undo
from tests.unit.runs.large.test_job import written

_UNLIMITED = resource.getrlimit(resource.RLIMIT_FSIZE)


def main(disk: Path, config: dict[str, Any], *, own: bool) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)]
    mounted = own and subprocess.run(mount, check=False, capture_output=True).returncode == 0

    def leave(room: int) -> None:
        if mounted:
            there = os.statvfs(disk)
            (disk / "filler").write_bytes(bytes(there.f_bavail * there.f_frsize - room))
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, _UNLIMITED[1]))

    def make_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, _UNLIMITED)
        (disk / "filler").unlink(missing_ok=True)

    def ranking() -> pa.Table:
        return written(disk / "ranking")

    labelnext.run(config)
    first = ranking()
    again = {**config, "acquisition": {"name": "margin"}}
    labelnext.run(again)
    second = ranking()
    undo(again)
    known = len(runs(again))
    for room in [0, *range(4096, 1 << 18, 4096)]:
        leave(room)
        row: dict[str, Any] = {"room": room, "mounted": mounted, "error": None}
        try:
            labelnext.run(again)
        except LabelnextError as error:
            row["error"] = f"{type(error).__name__}: {error}"
            row["untouched"] = ranking().equals(first)
        begun = len(runs(again)) > known
        known = len(runs(again))
        make_room()
        if row["error"] and begun:
            resume(again)
        if begun:
            row["ranked"] = ranking().equals(second)
            undo(again)
        row["back"] = ranking().equals(first)
        print(json.dumps(row), flush=True)
        if row["error"] is None:
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]), own=sys.argv[3] == "own")
