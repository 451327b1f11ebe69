"""A run on FiftyOne that is killed at any of its writes can be finished or taken back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

pytest_plugins = ("tests.integration.mongod",)


def test_sigkill_at_any_write_leaves_a_run_that_resume_and_undo_settle(
    dataset: Any, tmp_path: Path
) -> None:
    import fiftyone as fo

    dataset.default_classes = ["car"]
    dataset.add_samples(
        [
            fo.Sample(
                f"/{i}.png",
                pred=fo.Detections(
                    detections=[
                        fo.Detection(label="car", confidence=c, bounding_box=[0, 0, 1, 1])
                        for c in confidences
                    ]
                ),
            )
            for i, confidences in enumerate(([0.9, 0.1], [0.6], [], [0.5, 0.5]))
        ],
        progress=False,
    )
    dataset.save_view("mine", dataset.limit(2))
    config = tmp_path / "labelnext.yaml"
    source = {"adapter": "fiftyone", "dataset": dataset.name, "pred_field": "pred"}
    settings = {
        "source": source,
        "acquisition": {"name": "mean_object_confidence", "of": "objects"},
        "selection": {"budget": 2},
        "write": {"objects": True},
        "report": {"path": None},
    }
    config.write_text(yaml.safe_dump(settings), "utf-8")
    command = [sys.executable, "-m", "tests.integration.killed_runs", str(config)]
    answer = subprocess.run(command, env=os.environ, capture_output=True, text=True, timeout=500)
    assert answer.returncode == 0, answer.stderr[-2000:]
    *deaths, end = [json.loads(line) for line in answer.stdout.splitlines() if line[:1] == "{"]
    assert len(deaths) == end["writes"]
    assert [d for d in deaths if not (d["resume"] and d["then undo"] and d["undo"])] == []
    # The five steps: register, scores, objects, index, views; each is more than one write.
    assert sum(d["touched"] for d in deaths) > 10
