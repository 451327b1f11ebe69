"""Which predictions count: each task's newest, those of a version, or those of several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from labelnext.errors import InvalidInput, NotFound
from labelnext.pool.objects import Notice
from labelnext.support.words import counted, some
from labelnext_adapters.label_studio_format.columns import Columns
from labelnext_adapters.label_studio_format.regions import Setup
from labelnext_adapters.label_studio_format.taken import Said

Merge = Literal["regions"]
Members = Mapping[str | None, Columns]

#: How the versions of copied predictions begin, which are no model's.
COPY = "labelnext:"

_ENOUGH = 5  # tasks of a version, to say how its confidences lie
_APART = 0.2  # of the medians of two versions, whose quartiles don't even overlap


def chosen(
    counts: Mapping[str | None, int],
    named: str | Sequence[str] | None,
    setup: Setup,
    notices: list[Notice],
    *,
    merge: Merge | None = None,
    place: str = "project",
) -> dict[str | None, Columns]:
    """The model versions to read, each with the columns that take its predictions.

    Where each task's newest prediction counts, all versions share one: see `make_pool`.

    Args:
        counts: of the predictions of each model version, the newest first.
        named: the version, or several; None for each task's newest, or for all that are merged.
        setup: the control tags that are read.
        notices: added to.
        merge: put the regions of all versions together.
        place: where they are, for messages.

    Raises:
        NotFound: if a named version has no predictions.
        InvalidInput: if answers about whole items are to be merged.
    """
    if merge is not None and setup.unit != "objects":
        raise InvalidInput(
            f"merge must be left out for control tag {setup.from_name!r} ({setup.tag}), which "
            f"labels whole items; got {merge!r}.",
            hint="list the versions in source.model_version to rank by how they differ.",
        )
    wanted = [named] if isinstance(named, str) else [*(named or counts)]
    known = {version for version in counts if version is None or not version.startswith(COPY)}
    for version in wanted:
        if version not in counts:
            listing = some([f"{v!r}" for v in counts]) or f"none: the {place} has no predictions"
            raise NotFound(
                f"model_version must be one of the {place}'s versions; got {version!r}.",
                hint=f"available versions: {listing}.",
            )
    if named is None:
        wanted = [version for version in wanted if version in known]
    left_out = [
        f"{version_name(v)} ({n:,})" for v, n in counts.items() if v in known and v not in wanted
    ]
    if left_out:
        notices.append(
            Notice(
                "mixed_model_versions",
                f"The {place} has predictions of {counted(len(known), 'model version')}; using "
                f"{some([*map(version_name, wanted)])} (as configured). "
                f"Left out: {some(left_out)}.",
            )
        )
    if named is None and merge is None:
        return dict.fromkeys(wanted, Columns(setup))
    return {version: Columns(setup) for version in wanted}


def version_name(version: str | None) -> str:
    """A model version in words, also one without a name."""
    return version or "no version"


def shared(members: Members) -> Columns | None:
    """The columns that several versions share; None where each has its own."""
    columns = {id(one): one for one in members.values()}
    return next(iter(columns.values())) if len(columns) == 1 < len(members) else None


def settle(members: Members, labels: Mapping[int, Said]) -> None:
    """Let the predictions count that were there when labels were made; see `Columns.settle`."""
    for columns in {id(columns_of): columns_of for columns_of in members.values()}.values():
        columns.settle(labels)


def in_use(members: Members, tasks: Sequence[int]) -> list[str | None]:
    """The versions that count: all that are read, or each one that is some task's newest.

    Args:
        members: as of `chosen`.
        tasks: that are to be labelled.
    """
    if (columns := shared(members)) is None:
        return [*members]
    by_version = columns.versions(tasks)
    return [version for version in members if version in by_version]


def newest_notice(members: Members, tasks: Sequence[int], place: str) -> list[Notice]:
    """How many tasks' newest prediction is of which version, where there are several.

    Args:
        members: as of `chosen`.
        tasks: that are read.
        place: where they are, for messages.
    """
    if (columns := shared(members)) is None:
        return []
    by_version = columns.versions(tasks)
    used = [
        f"{version_name(version)} ({counted(len(by_version[version]), 'task')})"
        for version in members
        if version in by_version
    ]
    unused = [version_name(version) for version in members if version not in by_version]
    message = (
        f"The {place} has predictions of {counted(len(members), 'model version')}; using each "
        f"task's newest: {some(used) or 'none'}."
    )
    if unused:
        message += f" No task's newest is of {some(unused)}."
    return [Notice("mixed_model_versions", message)]


def scale_notice(
    confidences: Mapping[str | None, Sequence[float]],
) -> list[Notice]:
    """A warning where confidences of different versions lie too far apart to be compared.

    Args:
        confidences: how sure each version is of its tasks, one number a task.
    """
    quartiles = {
        version: np.percentile(np.asarray(values, dtype=np.float64), (25, 50, 75))
        for version, values in confidences.items()
        if len(values) >= _ENOUGH
    }
    ordered = sorted(quartiles, key=lambda version: float(quartiles[version][1]))
    if len(ordered) < 2:
        return []
    low, high = quartiles[ordered[0]], quartiles[ordered[-1]]
    if low[2] >= high[0] or high[1] - low[1] <= _APART:
        return []
    least, most = version_name(ordered[0]), version_name(ordered[-1])
    message = (
        f"The model versions' confidences lie far apart: the median of {least} is {low[1]:.2g}, "
        f"that of {most} is {high[1]:.2g}. Their tasks may not compare; "
        "predict all tasks with one version, or name one in source.model_version."
    )
    return [Notice("mixed_scales", message)]
