"""Fixtures and records of text formats: opened, ranked, and read by the plainest lines."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from labelnext.adapter import open_adapter
from labelnext.ranking import rank
from tests.formats.independent import FIXTURES


def opened(name: str, **source: object) -> Any:
    return open_adapter("files", directory=FIXTURES, path=name, **source)


def ranked(name: str, expected_format: str, **source: object) -> list[str]:
    adapter = opened(name, **source)
    assert adapter._input.format.name == expected_format
    order: list[str] = rank(adapter.read()).item_ids.tolist()
    return order


def lines(name: str) -> list[Any]:
    return [json.loads(line) for line in (FIXTURES / name).read_text().splitlines()]


def whole(name: str) -> Any:
    return json.loads((FIXTURES / name).read_text())


def margin(shares: list[float]) -> float:
    most, next_most = sorted(shares)[-1:-3:-1]
    return most - next_most


def by_margin(vectors: dict[str, list[float]]) -> list[str]:
    return sorted(vectors, key=lambda item: margin(vectors[item]))


def entropy(p: float) -> float:
    return 0.0 if p in (0, 1) else -p * math.log(p) - (1 - p) * math.log(1 - p)


def by_objects(confidences: dict[str, list[float]]) -> list[str]:
    return sorted(confidences, key=lambda item: -sum(map(entropy, confidences[item])))


def filled(scores: dict[str, float], names: list[str]) -> list[float]:
    """A top-k list with the rest of the mass on the classes that it doesn't name."""
    rest = 1 - sum(scores.values())
    lacking = [name for name in names if name not in scores]
    return [scores.get(name, rest / max(len(lacking), 1)) for name in names]


def saved(folder: Path, records: list[Any], **source: object) -> Any:
    (folder / "a.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return open_adapter("files", directory=folder, path="a.jsonl", **source)
