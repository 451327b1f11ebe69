"""How long does `push` take for a model's predictions of all tasks, and the undo of it?

    python -m benchmarks.label_studio_push [N_TASKS]

It starts a Label Studio of its own (SQLite) with short texts; the predictions are class
probabilities in a pool, matched to the tasks by a data key.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from tests.integration.choices import CHOICES
from tests.integration.label_studio_server import running_server

import labelnext
from labelnext.runs.push import push
from labelnext.runs.undo import undo

_CHUNK = 5000


def main(n_tasks: int) -> None:
    """Print the seconds of each, and how much of them labelnext itself worked."""
    names = [f"{n:06d}" for n in range(n_tasks)]
    sure = np.random.default_rng(0).uniform(size=n_tasks)
    pool = labelnext.Pool(
        names, probabilities=np.stack([sure, 1 - sure], axis=1), classes=["good", "bad"]
    )
    with tempfile.TemporaryDirectory() as name, running_server(Path(name)) as server:
        project = server.create_project(CHOICES)
        for start in range(0, n_tasks, _CHUNK):
            rows = [{"data": {"text": text}} for text in names[start : start + _CHUNK]]
            path = f"/api/projects/{project}/import"
            server.api("POST", path, rows, return_task_ids=False)
        source = {"adapter": "label-studio", "url": server.url, "api_key": server.token}
        state = Path(name) / "state"
        config = {"source": {**source, "project": project, "key": "text"}, "state": str(state)}
        for what, job in (
            ("push", lambda: push(config, pool, "v1")),
            ("undo", lambda: undo(config)),
        ):
            wall, own = time.perf_counter(), time.process_time()
            job()
            wall, own = time.perf_counter() - wall, time.process_time() - own
            print(f"{what} of {n_tasks} predictions: {wall:.1f} s, of which {own:.1f} s ours")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
