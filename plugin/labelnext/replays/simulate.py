"""Simulates every strategy on known labels, one curve per seed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labelnext.errors import ConfigError, InvalidInput
from labelnext.journal.plan import Progress
from labelnext.ranking.strategy import Strategy
from labelnext.replays.curves import Curve, Protocol, learning_curve, needed
from labelnext.support.threads import n_threads

_FORMAT = b"recalls of each round"  # curves stored in another format are recomputed


def simulate(
    features: NDArray[np.floating],
    labels: NDArray[np.int64],
    n_classes: int,
    strategies: Sequence[Strategy],
    protocol: Protocol,
    *,
    seeds: Sequence[int],
    workers: int | None = None,
    store: Path | None = None,
    progress: Progress | None = None,
) -> list[Curve]:
    """A learning curve for each strategy and seed, in parallel processes.

    Args:
        features: shape (n_items, n_dimensions).
        labels: shape (n_items,), class positions.
        n_classes: number of classes.
        strategies: all use the same starts.
        protocol: model and sizes.
        seeds: one start each.
        workers: number of processes; one per processor when None.
        store: folder for finished curves; nothing is stored when None.
        progress: called with a stage, the number of finished curves, and the total.

    Raises:
        InvalidInput: if there are fewer labelled items than the protocol needs.
    """
    if len(labels) < needed(protocol):
        raise InvalidInput(
            f"labelled items must be at least {needed(protocol)} for {protocol.rounds} rounds of "
            f"{protocol.batch} after {protocol.initial}; got {len(labels)}.",
            hint="lower replay.rounds, replay.batch or replay.initial.",
        )
    protocol.estimator(0)  # a wrong model fails once, here, not in every worker
    kept = _Kept(store, features, labels, protocol)
    wanted = [(strategy, seed) for seed in seeds for strategy in strategies]
    todo = [(s, seed) for s, seed in wanted if (s.name, seed) not in kept.curves]
    jobs = ((features, labels, n_classes, s, protocol, seed) for s, seed in todo)
    done = len(wanted) - len(todo)
    for curve in _in_processes(jobs, min(workers or n_threads(), max(len(todo), 1))):
        kept.add(curve)
        done += 1
        if progress is not None:
            progress("replay", done, len(wanted))
    return [kept.curves[strategy.name, seed] for strategy, seed in wanted]


def _in_processes(jobs: Iterator[tuple[Any, ...]], workers: int) -> Iterator[Curve]:
    from joblib import Parallel, delayed

    parallel = Parallel(n_jobs=workers, return_as="generator_unordered")
    yield from parallel(delayed(_one)(*job) for job in jobs)


def _one(*job: Any) -> Curve:
    from threadpoolctl import threadpool_limits

    # One thread each: otherwise workers compete for cores, and sums depend on the thread count.
    with threadpool_limits(limits=1):
        return learning_curve(*job)


class _Kept:
    """Finished curves on disk, keyed by a hash of everything they depend on."""

    def __init__(
        self,
        store: Path | None,
        features: NDArray[np.floating],
        labels: NDArray[np.int64],
        protocol: Protocol,
    ) -> None:
        self.curves: dict[tuple[str, int], Curve] = {}
        self._path: Path | None = None
        if store is None:
            return
        digest = hashlib.sha256(_FORMAT)
        told = {k: v for k, v in asdict(protocol).items() if k != "allow_import"}
        digest.update(json.dumps(told, sort_keys=True, default=str).encode())
        digest.update(np.ascontiguousarray(features).tobytes())
        digest.update(np.ascontiguousarray(labels).tobytes())
        self._path = store / f"{digest.hexdigest()[:16]}.jsonl"
        try:
            store.mkdir(parents=True, exist_ok=True)
            text = self._path.read_text("utf-8") if self._path.exists() else ""
        except OSError as error:
            raise ConfigError(f"state must be a folder that can be written; {error}.") from error
        for line in text.splitlines():
            try:
                row = json.loads(line)
            except json.JSONDecodeError:
                continue  # truncated when a process died
            curve = Curve(
                row["strategy"],
                row["seed"],
                tuple(row["accuracies"]),
                tuple(row["balanced"]),
                tuple(map(tuple, row["recalls"])),
            )
            self.curves[curve.strategy, curve.seed] = curve

    def add(self, curve: Curve) -> None:
        self.curves[curve.strategy, curve.seed] = curve
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                # Start a new line, in case the last one was truncated.
                file.write("\n" + json.dumps(asdict(curve)))
