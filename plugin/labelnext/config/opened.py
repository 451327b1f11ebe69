"""Open and close a configuration's adapter or target, and read its pool."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from labelnext.adapter.protocol import Adapter, Target
from labelnext.adapter.registry import open_adapter, open_target
from labelnext.config.config import Config, load_config
from labelnext.config.embedded import with_embeddings, with_signatures
from labelnext.config.located import located
from labelnext.errors import ConfigError, listed
from labelnext.journal.plan import Progress
from labelnext.pool.join import join_predictions
from labelnext.pool.pool import Pool
from labelnext.support.started import working_on
from labelnext.support.threads import at_most


def loaded(config: Config | Path | str | Mapping[str, Any]) -> Config:
    """The checked configuration, loaded first if necessary."""
    return config if isinstance(config, Config) else load_config(config)


@contextmanager
def opened(
    settings: Config, adapter: Adapter | None, progress: Progress | None
) -> Iterator[Adapter]:
    """The given adapter; without one, the configuration's own, closed at the end."""
    with working_on(settings.path), located(settings), at_most(settings.rest.threads):
        if adapter is not None:
            yield adapter
            return
        opened = settings.open_adapter(progress)
        try:
            yield opened
        finally:
            opened.close()


@contextmanager
def opened_target(settings: Config, progress: Progress | None) -> Iterator[Target]:
    """The platform of `send`, closed at the end."""
    with working_on(settings.path):
        target = open_target(settings.send, directory=settings.directory, progress=progress)
        try:
            yield target
        finally:
            target.close()


def read_pool(
    settings: Config, adapter: Adapter, progress: Progress | None = None, *, boxes: bool = True
) -> Pool:
    """The items of the source, with what the side file, made embeddings and a probe add.

    Args:
        settings: the configuration.
        adapter: of its source.
        progress: called with a stage, how much is done, and of how much.
        boxes: whether somebody uses the boxes of predicted objects.
    """
    choice = settings.source.probe
    if choice is not None:
        choice.estimator()  # a wrong model fails before the data is read
    # An adapter of an earlier version always reads them.
    pool = (adapter.read if boxes else getattr(adapter, "read_without_boxes", adapter.read))()
    if not {*settings.source.metadata} <= {*(pool.metadata or ())}:
        raise ConfigError(
            f"source.metadata must be left out for {adapter.name} data without further columns; "
            f"got {listed(settings.source.metadata)}.",
        )
    side = settings.source.predictions
    if side is not None:
        reader = open_adapter(
            "files", directory=settings.directory, key=side.key, progress=progress, path=side.file
        )
        pool = join_predictions(pool, reader.read())
    pool = with_embeddings(settings, adapter, pool, progress)
    pool = with_signatures(settings, adapter, pool, progress)
    if choice is None:
        return pool
    from labelnext.probes.probe import probed

    if progress is not None:
        progress("probe", 0, None)
    return probed(pool, choice, settings.selection.seed)
