"""How far the predictions can be trusted, in words and as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from labelnext.errors import InvalidInput
from labelnext.journal.plan import Progress
from labelnext.replays.replay import replay
from labelnext.replays.stored import StoredReport
from labelnext.runs.status import Status, status
from labelnext_adapters.fiftyone.app.words import in_words


@dataclass(frozen=True)
class Measured:
    """What labels say of the predictions.

    Attributes:
        lines: of Markdown.
        rows: how early each function finds what the model got wrong: texts by `COLUMNS`.
    """

    lines: list[str]
    rows: list[dict[str, str]]


COLUMNS = {
    "strategy": "function",
    "target": "to be found",
    "first": "found in the first 10%",
    "area": "area (0.5 is random)",
}


def measure(config: Mapping[str, Any], *, progress: Progress | None = None) -> Measured:
    """Accuracy on labelled samples, signs that labels suffice, and which function finds mistakes.

    Args:
        config: a configuration with labels; its `replay` goes by predictions.
        progress: as for `run`.

    Raises:
        LabelnextError: if the samples can't be read.
    """
    lines = [in_words(line) for line in _of_status(status(config, progress=progress))]
    try:
        found = cast("StoredReport", replay(config, progress=progress))
    except InvalidInput as error:
        return Measured([*lines, in_words(error)], [])
    # Of functions that don't suit the predictions the form tells more.
    few = [line.removeprefix("version ") for line in found.left_out if line.startswith("version ")]
    left_out = [f"Too few to compare: {line}." for line in few]
    lines += [in_words(line) for line in (f"**{found.advice}**", *left_out)]
    return Measured(lines, [_row(row) for row in found.rows])


def _of_status(now: Status) -> Iterator[str]:
    share = now.n_labelled / max(now.n_items, 1)
    yield f"Labelled: **{now.n_labelled:,}** of {now.n_items:,} items ({100 * share:.0f}%)."
    if now.accuracy is not None:
        yield f"**Accuracy**: {now.accuracy.sentence()}"
    for signal in now.signals:
        if signal.value is not None:
            yield f"**{signal.name}**: {signal.says} *But {signal.caution}*"
    ahead = now.forecast
    if isinstance(ahead, str):
        yield ahead
        return
    rows = zip(ahead.labels, ahead.expected, ahead.low, ahead.high, strict=True)
    said = [f"{100 * e:.1f}% with {n:,} labels ({100 * a:.1f} to {100 * b:.1f})"
            for n, e, a, b in rows]  # fmt: skip
    text = f"**Forecast** of the accuracy of a classifier of the embeddings: {', '.join(said)}."
    yield f"{text} *But {ahead.caution}*"


def _row(row: Any) -> dict[str, str]:
    low, high = row.interval
    return {
        "strategy": row.strategy,
        "target": f"{row.n_targets:,} of {row.n_items:,} {row.target}",
        "first": f"{100 * row.shares[1]:.0f}%",
        "area": f"{row.area:.2f} ({low:.2f} to {high:.2f})",
    }
