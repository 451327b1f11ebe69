"""Tables with a row for each vote: an item, who said something of it, and which class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelnext.errors import InvalidInput
from labelnext.pool.objects import Notice
from labelnext.support.words import counted
from labelnext_adapters.files.content.unpacked import check_spread
from labelnext_adapters.files.tables.column_names import corners_in, first_of, plain
from labelnext_adapters.files.tables.known_names import ANSWERS, BOXES, CERTAINTIES
from labelnext_adapters.files.tables.long_rows import mapping, one_row_each
from labelnext_adapters.files.tables.rows import texts_of
from labelnext_adapters.files.tables.table_options import PREFIXES, flat_columns

_PEOPLE = (
    "annotator", "annotator_id", "annotator_name", "worker", "worker_id", "workerid", "userid",
    "participant", "participant_id", "coder_id", "user", "user_id",
    "username", "user_name", "labeler", "labeler_id", "labeller", "labeller_id", "coder", "rater",
    "rater_id", "reviewer", "reviewer_id", "person", "expert", "created_by", "completed_by",
    "email", "judge", "judge_id", "model", "model_name", "run", "attempt", "trial", "repetition",
    "seed",
)  # fmt: skip
_SAID = ("label", "annotation", "vote", "choice", "response", "judgment", "judgement", *ANSWERS)
_VECTORS = ("embedding", "embeddings", "features", "vector")
#: Columns that may differ between votes of the same item.
_TIMES = (
    "time", "timestamp", "date", "created_at", "updated_at", "lead_time", "duration", "unnamed_0",
    "round", "batch",
)  # fmt: skip
_TEXTS = ("text", "sentence", "question", "prompt", "title")  # of an item


def vote_columns(
    schema: pa.Schema, id_name: str, columns: Mapping[str, str | Sequence[str]]
) -> tuple[str, str | None] | None:
    """The column of classes, and that of who said them; None if rows aren't votes.

    Args:
        schema: of the table; with scores, boxes or several columns of fractions, rows are no votes,
            and without a column of people neither with others that may tell items apart.
        id_name: the column of ids.
        columns: our names to the file's.

    Example:
        >>> text = ("item_id", pa.string()), ("worker", pa.string()), ("label", pa.string())
        >>> vote_columns(pa.schema(text), "item_id", {})
        ('label', 'worker')
        >>> vote_columns(pa.schema([*text, ("score", pa.float64())]), "item_id", {}) is None
        True
    """
    names = [name for name in schema.names if name != id_name]
    vectors = any(flat_columns(ours, names) for ours in PREFIXES)
    vectors = vectors or any(plain(name) in _VECTORS for name in names)
    fractions = sum(pa.types.is_floating(field.type) for field in schema if field.name != id_name)
    scored = first_of(names, CERTAINTIES) or corners_in(names) or first_of(names, BOXES)
    if vectors or fractions > 1 or scored:
        return None
    stated = columns.get("prediction", columns.get("label"))
    said = stated if isinstance(stated, str) else first_of(names, _SAID)
    filled = [name for name in names if plain(name).startswith("answer_")]  # Mechanical Turk's
    said = filled[0] if said is None and len(filled) == 1 else said
    if said is None or pa.types.is_nested(schema.field(said).type):
        return None
    who = first_of([name for name in names if name != said], _PEOPLE)
    strange = [n for n in names if n != said and plain(n) and plain(n) not in (*_TIMES, *_TEXTS)]
    return None if who is None and strange else (said, who)


def shares_of_votes(
    table: pa.Table, id_name: str, said: str, scale: float = 1.0
) -> tuple[pa.Table, pa.Array, list[Notice]]:
    """The share of an item's votes that each class has.

    Args:
        table: one row a vote.
        id_name: the column of ids.
        said: the column of classes.
        scale: of all votes of an item.

    Returns:
        The first row of each item; the shares, null for items with fewer than two votes; and a
        notice of these.

    Raises:
        InvalidInput: if rows of one id have several texts, or no item has several votes.
    """
    text = first_of(table.column_names, _TEXTS)
    if text is not None and text != id_name:
        pairs = table.select([id_name, text]).drop_null().group_by([id_name, text]).aggregate([])
        if pairs.num_rows > len(pc.unique(pairs.column(id_name))):
            raise InvalidInput(
                f"a column must tell the items apart; {id_name!r} repeats with several values of "
                f"{text}.",
                hint="set source.key to the column of the items' ids.",
            )
    codes, firsts = one_row_each(table, id_name)
    answers = texts_of(table.column(said))
    given = np.array([bool(answer and answer.strip()) for answer in answers]) & (codes >= 0)
    classes = sorted({str(answer) for answer, there in zip(answers, given, strict=True) if there})
    places = {name: place for place, name in enumerate(classes)}
    check_spread("class scores", firsts.num_rows, len(classes), int(given.sum()))
    votes: NDArray[np.float64] = np.zeros((firsts.num_rows, len(classes)))
    kinds = [places[str(answers[row])] for row in np.flatnonzero(given).tolist()]
    np.add.at(votes, (codes[given], np.array(kinds, dtype=np.int64)), 1)
    totals = votes.sum(axis=1, keepdims=True)
    several = totals[:, 0] > 1
    if not several.any():
        raise InvalidInput(f"an item must have several votes in {said!r}; none has more than one.")
    shares = scale * votes / np.where(totals > 0, totals, 1)
    known = np.broadcast_to(several[:, None], shares.shape)
    names: list[Any] = firsts.column(id_name).filter(pa.array(~several)).to_pylist()
    message = f"{counted(len(names), 'item')} with fewer than two votes; treated as missing."
    notices = [Notice("one_vote", message, tuple(map(str, names)))] if names else []
    return firsts, mapping(classes, shares, known), notices
