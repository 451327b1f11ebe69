"""send(config) and fetch(config): send a batch to annotators and bring their labels back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from inspect import signature
from pathlib import Path
from typing import Any, cast

from labelnext.adapter.batch import Labels
from labelnext.adapter.capabilities import Capability, can, missing_capability
from labelnext.adapter.marks import with_predictions
from labelnext.adapter.protocol import Adapter, Streams, Target
from labelnext.adapter.registry import able
from labelnext.config.config import Config
from labelnext.config.opened import loaded, opened, opened_target, read_pool
from labelnext.config.places import check_places
from labelnext.errors import ConfigError, listed
from labelnext.journal.journal import Journal
from labelnext.journal.lock import only_run
from labelnext.journal.plan import Plan, Progress
from labelnext.pool.objects import Notice
from labelnext.runs.belonging import origin_of
from labelnext.support.refused import refusals_told
from labelnext.support.words import counted


@dataclass(frozen=True)
class Exchange:
    """What was sent or fetched, or would be.

    Attributes:
        what: "send", "fetch" or "push".
        run_id: name of the journal; None if nothing was written.
        target: where it was written, in words.
        dry_run: whether this was a dry run, which writes nothing.
        counts: number of items, by what happened to them.
        steps: what was done, or would be.
        notices: what was left out or adjusted.
        stays: what an undo can't remove.
        next_steps: what to do now.
        nothing: where there is nothing to write, what was looked at, as a sentence; else empty.
    """

    what: str
    run_id: str | None
    target: str
    dry_run: bool
    counts: Mapping[str, int]
    steps: tuple[str, ...]
    notices: tuple[Notice, ...] = field(default=())
    stays: tuple[str, ...] = ()
    next_steps: tuple[str, ...] = ()
    nothing: str = ""

    def to_json(self) -> str:
        """The result as JSON text."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False)


@refusals_told()
def send(
    config: Config | Path | str | Mapping[str, Any],
    run: str | None = None,
    *,
    adapter: Adapter | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Exchange:
    """Send a run's batch to the platform where people label.

    Items that are already there are only reordered, not sent again.

    Args:
        config: a checked configuration, the path of a YAML file, or its content as a mapping.
        run: name of the run; `write.run` of the configuration when None.
        adapter: an open adapter for the source; if None, one from the configuration.
        dry_run: report what would be sent, and write nothing.
        progress: called with a stage, how much is done, and of how much (None if unknown).

    Returns:
        What was sent, or would be; its `counts`, `steps` and `next_steps` say more.

    Raises:
        ConfigError: if the source can't give batches, or something is missing.
        InvalidInput: if the batch can't be labelled there.
        Unavailable: if a server or database does not answer.
        WriteFailed: if it was interrupted; send again or `resume` to finish it, `undo` to undo it.
    """
    settings = _loaded(config)
    with _source(settings, adapter, progress) as source:
        batch = source.batch(run or settings.write.run, **_further(settings, source))
        if any(item.media for item in batch.items) and _adds_predictions(settings, source):
            batch = with_predictions(batch, read_pool(settings, source, progress))
    with opened_target(settings, progress) as target:
        plan = target.plan(batch)
        journal = carried_out(settings, "send", plan, target, dry_run)
        n = len(batch.items)
        nothing = (
            f"Nothing to write: what can be labelled of the batch of {batch.run} in "
            f"{batch.origin.dataset} is in {plan.target} already, in this order."
        )
        counts = {"in the batch": n}
        return exchanged("send", dry_run, plan, journal, counts, nothing, batch.notices)


@refusals_told()
def fetch(
    config: Config | Path | str | Mapping[str, Any],
    *,
    adapter: Adapter | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Exchange:
    """Bring the labels of sent items back into a field of the source.

    Args:
        config: as for `send`.
        adapter: an open adapter for the source; if None, one from the configuration.
        dry_run: report what would be written, and write nothing.
        progress: as for `send`.

    Returns:
        What was fetched, or would be; its `counts` say how many items are labelled and changed.

    Raises:
        ConfigError: if the source can't give batches, or something is missing.
        WriteRefused: if `send.field` is a field that labelnext didn't create.
        Unavailable: if a server or database does not answer.
        WriteFailed: if it was interrupted; fetch again or `resume` to finish it.
    """
    settings = _loaded(config)
    with _source(settings, adapter, progress, fetching=True) as source:
        with opened_target(settings, progress) as target:
            labels = target.labels(source.origin())
        plan = source.plan_labels(labels, settings.send.field)
        journal = carried_out(settings, "fetch", plan, source, dry_run)
        changed = sum(step.n_items for step in plan.steps)
        counts = {"labelled": len(labels.known), "waiting": len(labels.waiting), "changed": changed}
        nothing = _nothing_fetched(labels, f"field {settings.send.field} of {plan.target}")
        return exchanged("fetch", dry_run, plan, journal, counts, nothing, labels.notices)


def _adds_predictions(settings: Config, source: Adapter) -> bool:
    """Whether predictions come from elsewhere than the source: a side file, or a probe."""
    if settings.source.predictions is None and settings.source.probe is None:
        return False
    return not can(source, Capability.STREAMS) or cast("Streams", source).parts() is None


def _further(settings: Config, source: Any) -> dict[str, tuple[str, ...]]:
    """The further fields and the attributes that `send` names.

    Raises:
        ConfigError: if the source can't give them.
    """
    asked = {n: tuple(getattr(settings.send, n, ())) for n in ("fields", "attributes")}
    asked = {name: values for name, values in asked.items() if values}
    for name in asked.keys() - signature(source.batch).parameters.keys():
        raise ConfigError(
            f"send.{name} must be left out for {source.name} data; got {listed(asked[name])}."
        )
    return asked


def _nothing_fetched(labels: Labels, where: str) -> str:
    """What was looked at, where there is nothing to write."""
    if not labels.known:
        return f"Nothing to write: nothing is labelled yet in {labels.source}."
    n = counted(len(labels.known), "label")
    return f"Nothing to write: {where} holds what {labels.source} says, {n}."


@contextmanager
def _source(
    settings: Config, adapter: Adapter | None, progress: Progress | None, *, fetching: bool = False
) -> Iterator[Any]:
    """The open source; it must give batches or, when fetching, take labels."""
    with opened(settings, adapter, progress) as platform:
        capability = Capability.TAKES_LABELS if fetching else Capability.GIVES_BATCHES
        if not can(platform, capability):
            raise missing_capability("source.adapter", platform.name, capability, able(capability))
        yield platform


def carried_out(
    settings: Config, what: str, plan: Plan, platform: Target | Adapter, dry_run: bool
) -> Journal | None:
    """Carry out a plan under the lock of the state folder; None if there is nothing to do."""
    if dry_run or not plan.steps:
        return None
    details = {"what": what, **origin_of(settings, what)}
    with only_run(settings.state):
        journal = Journal.create(settings.state, plan, details=details)
        platform.apply(plan, journal)
    return journal


def exchanged(
    what: str,
    dry_run: bool,
    plan: Plan,
    journal: Journal | None,
    counts: Mapping[str, int],
    nothing: str,
    notices: tuple[Notice, ...] = (),
) -> Exchange:
    """What was done, or would be, with the remarks of the write."""
    remarks = (*plan.left_out, *(() if journal is None else journal.remarks))
    return Exchange(
        what=what,
        run_id=None if journal is None else journal.run_id,
        target=plan.target,
        dry_run=dry_run,
        counts=counts,
        steps=tuple(step.description for step in plan.steps),
        notices=(*notices, *(Notice("write", remark) for remark in remarks)),
        stays=plan.stays,
        next_steps=plan.next_steps if journal is None else journal.next_steps,
        nothing="" if plan.steps else nothing,
    )


def _loaded(config: Config | Path | str | Mapping[str, Any]) -> Config:
    settings = loaded(config)
    check_places(settings)
    return settings
