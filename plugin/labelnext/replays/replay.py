"""replay(config): would an acquisition function have beaten random on your own labels?"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from labelnext.adapter.protocol import Adapter
from labelnext.config.config import Config, load_config
from labelnext.config.opened import opened, read_pool
from labelnext.errors import ConfigError, InvalidInput
from labelnext.journal.journal import Progress
from labelnext.journal.lock import only_run
from labelnext.pool.pool import Pool
from labelnext.ranking.strategy import RANDOM, Strategy
from labelnext.replays.curves import Curve, Protocol, learning_curve, needed
from labelnext.replays.outcomes import ReplayReport
from labelnext.replays.stored import StoredReport, replay_stored
from labelnext.support.files import check_writable, write_atomically

_Report = TypeVar("_Report", ReplayReport, StoredReport)
_FORMAT = b"recalls of each round"  # curves that were kept in another form are made again


def replay(
    config: Config | Path | str | Mapping[str, Any],
    *,
    adapter: Adapter | None = None,
    progress: Progress | None = None,
) -> ReplayReport | StoredReport:
    """Replay active learning on the labelled items of a source, for each strategy of `replay`.

    Where no item has an embedding, no model can be trained: then the rankings of the stored
    predictions are compared with the labels, and each model version with the next.

    Every finished curve is kept in the state folder, so a replay that broke off goes on where it
    was, and one with more seeds or strategies computes only what is new. The figures depend on the
    seed, not on the number of workers.

    Args:
        config: a checked configuration, the path of a YAML file, or its content as a mapping.
        adapter: one that is open already.
        progress: called with a stage, how many curves are done, and of how many.

    Returns:
        The report; its HTML page is written where `replay.path` says.

    Raises:
        ConfigError: for a wrong configuration.
        InvalidInput: if there are too few labelled items, or they have no embeddings.
    """
    settings = config if isinstance(config, Config) else load_config(config)
    options = settings.replay
    page = None if options.path is None else settings.directory / options.path.expanduser()
    if page is not None:
        check_writable(page)
    protocol = Protocol(
        options.model,
        options.model_options,
        options.initial,
        options.batch,
        options.rounds,
        options.test_size,
    )
    if options.by != "predictions":
        protocol.estimator(0)  # a wrong model shows before the data is read
    with opened(settings, adapter, progress) as platform:
        pool = read_pool(settings, platform, progress)
    stored = pool.embeddings is None and not pool.missing.all()
    if options.by == "predictions" or (options.by == "auto" and stored):
        return _written(replay_stored(pool, options.strategies, path=page))
    features, labels = labelled_part(pool)
    strategies = [Strategy.parse(text) for text in dict.fromkeys([RANDOM, *options.strategies])]
    n_classes = pool.n_classes or int(labels.max()) + 1
    with only_run(settings.state):
        curves = simulate(
            features,
            labels,
            n_classes,
            strategies,
            protocol,
            seeds=range(options.seeds),
            workers=options.workers,
            store=settings.state / "replay",
            progress=progress,
        )
    names = pool.classes or tuple(str(c) for c in range(n_classes))
    return _written(ReplayReport.of(curves, protocol, names, len(labels), path=page))


def _written(report: _Report) -> _Report:
    """The report, its page written."""
    if report.path is not None:
        text = report.to_html().encode()
        write_atomically(report.path, lambda file: file.write(text))
    return report


def labelled_part(pool: Pool) -> tuple[NDArray[np.floating], NDArray[np.int64]]:
    """Features and labels of the labelled items, in the order of their ids.

    Raises:
        InvalidInput: if there are none, or they have no embeddings.
    """
    if pool.embeddings is None:
        raise InvalidInput(
            "replay needs embeddings or features of the labelled items, and the source has none.",
            hint="name where they are stored in source: an embeddings field, or a side file.",
        )
    if pool.labels is None or not (pool.labels >= 0).any():
        raise InvalidInput("replay needs items with a class label, and the source has none.")
    order = pool.tie_order
    usable = (pool.labels >= 0) & np.isfinite(pool.embeddings).all(axis=1)
    rows = order[usable[order]]
    return pool.embeddings[rows], pool.labels[rows]


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
        strategies: the same starts for each.
        protocol: model and sizes.
        seeds: one start each.
        workers: processes; one for each processor when None.
        store: folder in which finished curves are kept; nothing is kept when None.
        progress: called with a stage, how many curves are done, and of how many.

    Raises:
        InvalidInput: if there are fewer labelled items than the protocol asks for.
    """
    if len(labels) < needed(protocol):
        raise InvalidInput(
            f"labelled items must be at least {needed(protocol)} for {protocol.rounds} rounds of "
            f"{protocol.batch} after {protocol.initial}; got {len(labels)}.",
            hint="lower replay.rounds, replay.batch or replay.initial.",
        )
    protocol.estimator(0)  # a wrong model fails here, once, and not in a worker
    kept = _Kept(store, features, labels, protocol)
    wanted = [(strategy, seed) for seed in seeds for strategy in strategies]
    todo = [(s, seed) for s, seed in wanted if (s.name, seed) not in kept.curves]
    jobs = ((features, labels, n_classes, s, protocol, seed) for s, seed in todo)
    done = len(wanted) - len(todo)
    for curve in _in_processes(jobs, min(workers or os.cpu_count() or 1, max(len(todo), 1))):
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

    # One thread each: workers would fight for the cores, and sums would depend on their number.
    with threadpool_limits(limits=1):
        return learning_curve(*job)


class _Kept:
    """Finished curves on disk, under a hash of all that they depend on."""

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
        digest.update(json.dumps(asdict(protocol), sort_keys=True, default=str).encode())
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
                continue  # cut off when a process died
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
                # A line begins afresh even if the last one was cut off.
                file.write("\n" + json.dumps(asdict(curve)))
