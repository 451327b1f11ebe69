"""The runs of labelnext on a dataset, and what is not labelnext's to write over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labelnext.errors import ConfigError, Gone, InvalidInput, NotFound, WriteRefused, listed
from labelnext.journal.plan import Step
from labelnext_adapters.fiftyone.database.connection import load_dataset, name_now, talking
from labelnext_adapters.fiftyone.database.fields import MARKER, METHOD, refuse_read_only
from labelnext_adapters.fiftyone.database.views import is_our_view, same_view, view_names

if TYPE_CHECKING:
    from labelnext.journal.journal import Journal

_LONGEST = 100  # characters of a run's name: FiftyOne makes slugs, fields and an index of it


def check_run_name(run: str) -> None:
    """Raise InvalidInput unless a field, a run and the slug of a view can have that name."""
    import fiftyone as fo

    usual = run.isascii() and run.isidentifier() and len(run) <= _LONGEST
    if not usual or run.startswith("_") or run == "frames" or hasattr(fo.Sample, run):
        shown = run if len(run) <= _LONGEST else f"{run[:_LONGEST]}… ({len(run)} characters)"
        raise InvalidInput(
            f"write.run must be a name for a new field: at most {_LONGEST} of A-Z, a-z, 0-9 and _, "
            f"not beginning with a digit or _, and none of FiftyOne's own; got {shown!r}.",
            hint="try labelnext.",
        )


def refuse_foreign(dataset: Any, run: str, field: str | None = None) -> None:
    """Raise WriteRefused if a field, run or view of that name is not labelnext's.

    Args:
        dataset: a FiftyOne dataset.
        run: name of the run.
        field: path of its field; the one that it has, or a field of samples, when None.

    The field must not be read-only, either: taking it back would fail.
    """
    from labelnext_adapters.fiftyone.runs import is_ours

    hint = "choose another write.run."
    config = registered(dataset, run)
    field = field or (config.field if config else run)
    if dataset.get_field(field) is not None and not is_ours(dataset, field):
        raise WriteRefused(
            f"field {field} of {dataset.name} must be labelnext's own; it is not.", hint=hint
        )
    refuse_read_only(dataset, field)
    if config is not None and config.field != field:
        raise WriteRefused(
            f"run {run} of {dataset.name} must stay in its field {config.field}; {field} is of "
            "another kind of items.",
            hint="choose another write.run, or delete that run.",
        )
    if run in dataset.list_runs() and config is None:
        raise WriteRefused(
            f"custom run {run} of {dataset.name} must be labelnext's own; it is not.", hint=hint
        )
    owned = set(config.views) if config else set()
    for name in view_names(run):
        taken = same_view(dataset, name)
        if taken is not None and taken not in owned and not is_our_view(dataset, taken, name):
            raise WriteRefused(
                f"saved view {taken!r} of {dataset.name} must be labelnext's own; it is not.",
                hint=hint,
            )


def refuse_gone(dataset: Any, step: Step) -> None:
    """Raise Gone if somebody deleted what a step goes by: the run, or a field.

    Args:
        dataset: a FiftyOne dataset.
        step: after the one that registers the run.
    """
    run, path = step.payload["run"], step.payload.get("path")
    fields = [step.payload["field"]] if step.kind in ("index", "views") else []
    fields += [path.rpartition(".")[0]] if path else []  # the list of the labels that get scores
    gone = [f"field {name}" for name in fields if dataset.get_field(name) is None]
    gone += [] if registered(dataset, run) is not None else [f"custom run {run}"]
    if gone:
        raise Gone(
            f"{gone[0]} of {dataset.name} must still be there; somebody deleted it meanwhile."
        )


def renamed(dataset: Any) -> list[str]:
    """The fields of ours that belong to no run, because somebody gave them another name."""
    known = {getattr(registered(dataset, run), "field", None) for run in dataset.list_runs()}
    schema = dataset.get_field_schema()
    return [n for n, field in schema.items() if n not in known and MARKER in (field.info or {})]


def registered(dataset: Any, run: str) -> Any:
    """The configuration of our run of that name; None if there is none or it is another's."""
    from labelnext_adapters.fiftyone.runs import LabelnextRunConfig

    if run not in dataset.list_runs():
        return None
    config = dataset.get_run_info(run).config
    return config if isinstance(config, LabelnextRunConfig) else None


def check_planned_for(journal: Journal, named: Any) -> None:
    """Refuse a journal that somebody has changed so that it names another dataset.

    A dataset that has another name now is still the one of its id, even if its old name was given
    to another one: then the run that it holds says so.

    Args:
        journal: of a run on FiftyOne.
        named: the dataset of the configuration, or its name.

    Raises:
        ConfigError: if it names another one that is there.
    """
    import fiftyone as fo

    with talking():
        if isinstance(named, str) and not fo.dataset_exists(named):
            return  # renamed since
        dataset = (fo.load_dataset(named) if isinstance(named, str) else named)._root_dataset
    for step in journal.plan.steps:
        other = name_now(step.payload["dataset_id"])
        if other is None or other == dataset.name:
            continue
        config = registered(load_dataset(other), journal.plan.run)
        if config is None or config.journal != journal.run_id:
            raise ConfigError(
                f"run {journal.run_id} must be of dataset {dataset.name}, which the configuration "
                f"names; its journal names {other}.",
                hint="name the dataset that the run was of; if it is this one, somebody has "
                "changed the journal. Nothing was written.",
            )


def run_names(dataset: Any) -> list[str]:
    """The runs of labelnext on a dataset, the newest first.

    Args:
        dataset: a FiftyOne dataset.
    """
    with talking():
        names = dataset.list_runs(method=METHOD)
        moments = {name: dataset.get_run_info(name).timestamp for name in names}
    return sorted(names, key=lambda name: moments[name], reverse=True)


def run_config(dataset: Any, run: str) -> Any:
    """The configuration of a run.

    Args:
        dataset: a FiftyOne dataset.
        run: name of the run.

    Raises:
        NotFound: if labelnext has no run of that name there.
    """
    config = registered(dataset, run)
    if config is None:
        known = listed(run_names(dataset)) or "none"
        raise NotFound(f"run must be one of {dataset.name}'s ({known}); got {run!r}.")
    return config
