"""Scores that are logits by their names, whatever their values look like."""

from __future__ import annotations

import re
from collections.abc import Sequence

from labelnext.errors import listed
from labelnext_adapters.files.tables.column_names import plain
from labelnext_adapters.files.tables.known_names import LOGITS
from labelnext_adapters.files.tables.table_options import ScoreOptions
from labelnext_adapters.files.tables.vectors import NotProbabilities

_WORDS = {"logit", "logits", "logprob", "logprobs"}


def check_no_logits(names: Sequence[str], options: ScoreOptions) -> None:
    """Refuse scores that are logits by their names, unless `logits` says what they are.

    Args:
        names: of a column, or of one for each class.
        options: of the format.

    Raises:
        NotProbabilities: if they are, with the cure.
    """
    if options.logits is not None or not names or not _are_logits(names):
        return
    one = len(names) == 1
    what = f"the column {names[0]!r}" if one else f"the columns {listed(names)}"
    raise NotProbabilities(
        f"probabilities must be in [0, 1]; got {what}, which are logits by "
        f"{'its name' if one else 'their names'}.",
        hint="set source.logits: softmax (one class per item) or sigmoid (independent classes); "
        "if they are probabilities, source.logits: false.",
        settings={"logits": "softmax"},
    )


def _are_logits(names: Sequence[str]) -> bool:
    """Whether all names have a word in common that says so.

    Example:
        >>> _are_logits(["logit_cat", "logit_dog"]), _are_logits(["p_logit", "p_cat"])
        (True, False)
    """
    if all(plain(name) in LOGITS for name in names):
        return True
    words = (set(re.split(r"[\W_]+", name.lower())) for name in names)
    return bool(set.intersection(_WORDS, *words))
