"""A disk that fills up while a large pool is ranked, at any place where something is written."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.unit.runs.large.test_job import classification, settings, spread, texts

# As root, or where users may have file systems of their own.
_OWN = ["unshare", "--map-root-user", "--mount"]


def own_file_systems() -> list[str]:
    allowed = subprocess.run([*_OWN, "true"], check=False, capture_output=True).returncode == 0
    return _OWN if allowed else []


def test_a_disk_that_is_full_at_any_place_leaves_the_earlier_ranking_and_resume_goes_on(
    tmp_path: Path,
) -> None:
    path = spread(classification(texts(1_000)), tmp_path / "data", 2)
    disk = tmp_path / "disk"
    disk.mkdir()
    config = json.dumps(settings(disk, path))  # the journals are on it, too
    own = own_file_systems()
    script = [sys.executable, "-m", "tests.integration.full_disk"]
    answer = subprocess.run(
        [*own, *script, str(disk), config, "own" if own else "shared"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert answer.returncode == 0, answer.stderr[-2000:]
    rows = [json.loads(line) for line in answer.stdout.splitlines()]
    *broken, whole = rows
    assert whole["error"] is None, "there was never room enough"
    assert [row for row in broken if not row["untouched"]] == []
    assert [row for row in rows if not row.get("ranked", True) or not row["back"]] == []
    errors = "\n".join(row["error"] for row in broken)
    assert "WriteFailed: the state folder" in errors
    places = ["/scores/0", "/part-000000", "batch.jsonl", "manifest.json"]
    # Where each file has the room for itself, the largest is the one that does not fit.
    expected = places if whole["mounted"] else places[:1]
    assert [place for place in expected if place not in errors] == []
