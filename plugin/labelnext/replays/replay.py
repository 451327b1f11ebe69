"""replay(config): would an acquisition function have beaten random on your labels?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from labelnext.adapter.protocol import Adapter
from labelnext.config.config import Config
from labelnext.config.opened import loaded, opened, read_pool
from labelnext.config.places import check_places
from labelnext.config.sections import Replay
from labelnext.errors import InvalidInput
from labelnext.journal.lock import only_run
from labelnext.journal.plan import Progress
from labelnext.journal.state import make_state
from labelnext.pool.pool import Pool
from labelnext.ranking.strategy import RANDOM, Strategy
from labelnext.replays.curves import Protocol
from labelnext.replays.outcomes import ReplayReport
from labelnext.replays.simulate import simulate
from labelnext.replays.stored import StoredReport, replay_stored
from labelnext.support.files import check_page, write_atomically
from labelnext.support.refused import refusals_told

_Report = TypeVar("_Report", ReplayReport, StoredReport)


@refusals_told()
def replay(
    config: Config | Path | str | Mapping[str, Any],
    *,
    adapter: Adapter | None = None,
    progress: Progress | None = None,
) -> ReplayReport | StoredReport:
    """Replay active learning on a source's labelled items, for each strategy in `replay`.

    Without embeddings no model can be trained; instead, rankings of the stored predictions are
    compared with the labels, and each model version with the next.

    Finished curves are kept in the state folder, so an interrupted replay resumes where it stopped,
    and adding seeds or strategies computes only the new curves. Results depend on the seed, not on
    the number of workers.

    Args:
        config: a checked configuration, the path of a YAML file, or its content as a mapping.
        adapter: an adapter that is already open.
        progress: called with a stage, the number of finished curves, and the total.

    Returns:
        The report; its HTML page is written to `replay.path`.

    Raises:
        ConfigError: for an invalid configuration.
        InvalidInput: if there are too few labelled items, or they have neither embeddings nor
            predictions.
    """
    settings = loaded(config)
    check_places(settings)
    options = settings.replay
    page = None if options.path is None else settings.directory / options.path.expanduser()
    if page is not None:
        check_page(page)
    protocol = _protocol(options)
    if options.by != "predictions":
        protocol.estimator(0)  # a wrong model fails before the data is read
    with opened(settings, adapter, progress) as platform:
        pool = read_pool(settings, platform, progress)
    stored = pool.embeddings is None and not pool.missing.all()
    if options.by == "predictions" or (options.by == "auto" and stored):
        return _written(replay_stored(pool, options.strategies, recipe=settings.recipe, path=page))
    features, labels = labelled_part(pool)
    strategies = [Strategy.parse(text) for text in dict.fromkeys([RANDOM, *options.strategies])]
    n_classes = pool.n_classes or int(labels.max()) + 1
    make_state(settings.state)
    with only_run(store := settings.state / "replay"):  # no run waits for that
        curves = simulate(
            features,
            labels,
            n_classes,
            strategies,
            protocol,
            seeds=range(options.seeds),
            workers=options.workers,
            store=store,
            progress=progress,
        )
    names = pool.classes or tuple(str(c) for c in range(n_classes))
    return _written(ReplayReport.of(curves, protocol, names, len(labels), path=page))


def _protocol(options: Replay) -> Protocol:
    return Protocol(
        options.model,
        options.model_options,
        options.initial,
        options.batch,
        options.rounds,
        options.test_size,
        options.allow_import,
    )


def _written(report: _Report) -> _Report:
    """Write the report's page and return the report."""
    if report.path is not None:
        text = report.to_html().encode()
        write_atomically(report.path, lambda file: file.write(text))
    return report


def labelled_part(pool: Pool) -> tuple[NDArray[np.floating], NDArray[np.int64]]:
    """Features and labels of the labelled items, in id order.

    Raises:
        InvalidInput: if there are none, or they have no embeddings.
    """
    if pool.embeddings is None:
        raise InvalidInput(
            "replay needs embeddings or features of the labelled items, but the source has none.",
            hint="name an embeddings field or a side file in source.",
        )
    if pool.labels is None or not (pool.labels >= 0).any():
        raise InvalidInput("replay needs items with a class label, but the source has none.")
    order = pool.tie_order
    usable = (pool.labels >= 0) & np.isfinite(pool.embeddings).all(axis=1)
    rows = order[usable[order]]
    if not rows.size:
        raise InvalidInput("replay needs labelled items with an embedding; none of them has one.")
    return pool.embeddings[rows], pool.labels[rows]
