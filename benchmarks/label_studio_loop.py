"""How long does `watch` with a probe take from the last of 20 labels to the new order?

    python -m benchmarks.label_studio_loop [N_TASKS]

It starts a Label Studio of its own (SQLite) with short texts and no predictions; their embeddings
of 512 dimensions are in a Parquet file. Sixty tasks are labelled, `watch` makes its first ranking,
and 20 more labels come twice. Told are the seconds from the last of these until the first task of
the new order is the tab's first, and until all are in order, and how long an annotator waits
meanwhile, who labels through another tab's stream.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tests.integration.choices import CHOICES
from tests.integration.label_studio_server import LabelStudio, running_server

from benchmarks.label_studio_rounds import LABELS, first_of, watching
from benchmarks.label_studio_write import Annotator, spread

_CHUNK = 5000
_WIDTH, _FIRST, _TIMES = 512, 60, 2


def main(n_tasks: int) -> None:
    """Print the seconds of each time, and the waits."""
    with tempfile.TemporaryDirectory() as name, running_server(Path(name)) as server:
        project = server.create_project(CHOICES)
        for start in range(0, n_tasks, _CHUNK):
            rows = [{"data": {"text": f"{n:06d}"}} for n in range(start, start + _CHUNK)[:n_tasks]]
            path = f"/api/projects/{project}/import"
            server.api("POST", path, rows, return_task_ids=False)
        kinds = np.random.default_rng(0).integers(0, 2, n_tasks)
        config = _settings(server, project, _embeddings(kinds, Path(name)), Path(name) / "state")
        people = server.second_user()
        numbers = server.task_ids(project)
        said = dict(zip(numbers, kinds.tolist(), strict=True))
        for task in np.random.default_rng(1).permutation(numbers)[:_FIRST].tolist():
            _label(server, task, said[task])
        time.sleep(30)  # what was made within the last half minute counts as under way
        _watched(server, people, project, config, said)


def _watched(
    server: LabelStudio, people: LabelStudio, project: int, config: Any, said: dict[int, int]
) -> None:
    with watching(config) as ranked:
        for _ in range(_TIMES):
            ranked.clear()
            for task in first_of(server, project, LABELS):
                _label(server, task, said[task])
            start = time.perf_counter()
            busy = Annotator(people, project)
            busy.start()
            seen: list[tuple[float, list[int]]] = []
            while not ranked.wait(0.5):
                seen.append((time.perf_counter() - start, first_of(server, project, 1)))
            seconds = time.perf_counter() - start
            last = first_of(server, project, 1)
            others = [moment for moment, first in seen if first != last]
            until = next(
                moment
                for moment, _ in [*seen, (seconds, last)]
                if moment > max(others, default=-1.0)
            )
            print(f"{until:.1f} s to the first task of the new order, {seconds:.1f} s to all")
            print(f"  annotator meanwhile: {spread(busy.stop())}")


def _label(server: LabelStudio, task: int, kind: int) -> None:
    value = {"choices": [("good", "bad")[kind]]}
    region = {"from_name": "kind", "to_name": "text", "type": "choices", "value": value}
    server.api("POST", f"/api/tasks/{task}/annotations/", {"result": [region], "lead_time": 1.0})


def _embeddings(kinds: np.ndarray, folder: Path) -> Path:
    """A file with a vector for each text, of two Gaussian classes that overlap."""
    rng = np.random.default_rng(2)
    vectors = rng.normal(size=(len(kinds), _WIDTH)).astype(np.float32)
    vectors[:, :8] += 2 * kinds[:, None] - 1
    ids = pa.array([f"{n:06d}" for n in range(len(kinds))])
    rows = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), _WIDTH)
    pq.write_table(pa.table({"item_id": ids, "embedding": rows}), folder / "embeddings.parquet")
    return folder / "embeddings.parquet"


def _settings(server: LabelStudio, project: int, file: Path, state: Path) -> dict[str, Any]:
    side = {"file": str(file), "key": "item_id"}
    return {
        "source": {
            "adapter": "label-studio",
            "url": server.url,
            "api_key": server.token,
            "project": project,
            "key": "text",
            "predictions": side,
            "model": "probe",
        },
        "acquisition": {"name": "margin"},
        "selection": {"budget": 100},
        "state": str(state),
        "report": {"path": None},
    }


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
