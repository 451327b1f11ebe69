"""Reports and explanations with what the platform shows of items."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from labelnext.adapter.capabilities import Capability, can
from labelnext.adapter.preview import Preview
from labelnext.adapter.protocol import Adapter, ShowsItems
from labelnext.config.config import Config
from labelnext.errors import LabelnextError
from labelnext.pool.objects import Notice
from labelnext.ranking.explain import Explanation
from labelnext.report.pictures import with_previews
from labelnext.report.report import Report


def illustrated(report: Report, settings: Config, platform: Adapter) -> Report:
    """The report with links, and with pictures and texts where it becomes a page.

    The run is done by now: a platform that can show nothing costs a notice, not the report.

    Args:
        report: of a run that was written.
        settings: the configuration.
        platform: the open adapter.
    """
    if not can(platform, Capability.SHOWS_ITEMS) or not report.cards:
        return report
    source = cast("ShowsItems", platform)
    try:
        address = source.address()
        previews = source.previews([card.item_id for card in report.cards])
    except LabelnextError as error:
        failed = Notice("no_previews", f"The report shows no items: {error.message}")
        return replace(report, notices=[*report.notices, failed])
    most = settings.report.thumbnails if report.path is not None else 0
    if not most:
        previews = {item: Preview(p.link, name=p.name) for item, p in previews.items()}
    cards, notices = with_previews(report.cards, previews, most)
    shown = {c.item_id: {"name": c.name, "link": c.link} for c in cards}
    rows = [
        {**row, **{k: v for k, v in shown.get(row["item_id"], {}).items() if v}}
        for row in report.next_items
    ]
    return replace(
        report,
        cards=cards,
        address=address,
        next_items=rows,
        notices=[*report.notices, *notices],
    )


def linked(why: Explanation, platform: Adapter) -> Explanation:
    """The explanation with the item's address, if the platform has one."""
    if not can(platform, Capability.SHOWS_ITEMS):
        return why
    source = cast("ShowsItems", platform)
    try:
        shown = source.previews([why.item_id]).get(why.item_id, Preview())
    except LabelnextError:  # the explanation itself is there
        return why
    return replace(why, link=shown.link, name=shown.name, address=source.address())
