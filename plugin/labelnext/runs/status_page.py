"""The page that `labelnext status --html` writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from labelnext.adapter.team import Work
from labelnext.report.team import agreements, members, pace
from labelnext.report.templating import filled_template

if TYPE_CHECKING:
    from labelnext.runs.status import Status


def render_status(status: Status, target: Mapping[str, str]) -> str:
    """The manager's page: self-contained, like the report.

    Args:
        status: what `labelnext status` found.
        target: what the project is called, its address if it has one, and when this was
            written.
    """
    work = status.work or Work(())
    return filled_template(
        "status.html.j2",
        status=status,
        target=target,
        members=members(work.acts),
        agreements=agreements(work.acts),
        shards=work.shards,
        pace=pace(work.acts, status.n_items, work.wanted),
        share=status.n_labelled / max(status.n_items, 1),
        has_work=status.work is not None,
    )
