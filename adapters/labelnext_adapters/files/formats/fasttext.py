"""fastText: what `predict-prob` prints, a line for each text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from labelnext.adapter.formats import Format
from labelnext.adapter.protocol import Context
from labelnext.adapter.sample import Sample
from labelnext.errors import InvalidInput
from labelnext.pool.pool import Pool
from labelnext_adapters.files.content.oddities import MOST, Unusable
from labelnext_adapters.files.formats.huggingface import HuggingFaceOptions, files

_LABEL = "__label__"
_BETWEEN = ",;|"  # an id and labels
_SCORED = re.compile(rf"{_LABEL}(\S+)\s+(\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?)(?=\s|$)")


class FastTextOptions(HuggingFaceOptions):
    """Keys of `source` for output of fastText."""


def read(path: Path | str, options: FastTextOptions, context: Context) -> Pool:
    """The lines of a file; an empty one is a text without a prediction.

    Raises:
        NotFound: if the file of ids does not exist.
        InvalidInput: if no label has a probability, or too many lines can't be used.
    """
    from labelnext_adapters.files.content.content import read_text
    from labelnext_adapters.files.content.item_ids import check_no_key, listed_ids
    from labelnext_adapters.files.gather import Gathered

    lines = read_text(Path(path)).removesuffix("\n").split("\n")
    labelled = [line for line in lines if _LABEL in line]
    if not any(map(_SCORED.search, labelled)):
        raise InvalidInput(
            f"each label must have its probability; got {(labelled or lines)[0].strip()!r:.60}.",
            hint="write them by fasttext predict-prob MODEL TEXTS K, with K as -1 for all classes.",
        )
    ids, beside = next(iter(files(options, context)), None), _beside(lines)
    if ids is None:
        hint = "leave it out, or set source.ids to a file with such a column."
        check_no_key(context.key, "the lines have no columns", hint)
    gathered = Gathered(
        "line", classes=options.classes, multilabel=options.multilabel, likeliest=True
    )
    names: Sequence[str | None]
    if ids is not None:
        names = listed_ids(ids, context.key)
        if len(names) != len(lines):
            raise InvalidInput(f"ids must name each of {len(lines):,} lines; got {len(names):,}.")
    elif beside is not None:
        names = beside
        gathered.notice("layout", "Took what stands before the labels as the item's id.")
    else:
        names = [str(number) for number in range(len(lines))]
        message = "Items are named by their line from 0; set source.ids to a file of ids."
        gathered.notice("numbered", message)
    for number, (name, line) in enumerate(zip(names, lines, strict=True), 1):
        with gathered.record(f"line {number}", name or ""):
            if name is None:
                raise Unusable(f"it must hold an id and labels; got {line.strip()!r:.60}")
            row, scored = gathered.new_item(name), _SCORED.findall(line)
            if len(scored) < line.count(_LABEL) or (line.strip() and not scored):
                raise Unusable(f"it must hold labels with probabilities; got {line.strip()!r:.60}")
            if scored:
                scores = {label: float(value.replace(",", ".")) for label, value in scored}
                gathered.scores(row, scores)
    return gathered.pool()


def _beside(lines: list[str]) -> list[str | None] | None:
    """The word before the labels of each line, if nearly all have another one: ids.

    None if they are texts.
    """
    parts = [line.partition(_LABEL)[:2] for line in lines]
    parts = [(word.strip().rstrip(_BETWEEN), label) for word, label in parts]
    words = [word if label and len(word.split()) == 1 else None for word, label in parts]
    known = [word for word in words if word]
    alone = len({*known}) == len(known) >= MOST * len(lines)
    return words if alone else None


def _is_head(lines: list[str]) -> bool:
    """Whether the first line holds the names of columns rather than labels."""
    signs = [sign for sign in ",;\t|" if 0 < lines[0].count(sign) == lines[-1].count(sign)]
    return _LABEL not in lines[0] and (len(lines) < 2 or bool(signs))


def evidence(sample: Sample) -> str | None:
    """Whether lines hold labels of fastText; not those of a table with names in the first."""
    lines = sample.lines[:50]
    if not lines or lines[0][0] in "[{" or _is_head(lines):
        return None
    scored = sum(bool(_SCORED.search(line)) for line in lines)
    if 2 * scored > len(lines):
        return "its lines are labels of fastText with probabilities"
    begun = sum(line.startswith(_LABEL) for line in lines)
    return "its lines begin with labels of fastText" if 2 * begun > len(lines) else None


FORMAT = Format(
    "fasttext",
    "what fastText's `predict-prob` prints: labels with probabilities on each line",
    (),
    FastTextOptions,
    read,
    files,
    evidence=evidence,
    recognised_by="lines of `__label__` with probabilities",
)
