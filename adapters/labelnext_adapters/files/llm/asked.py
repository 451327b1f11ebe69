"""How records of answers are read, by which ids, and which of them hold none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labelnext_adapters.files.content.item_ids import check_no_key
from labelnext_adapters.files.content.oddities import mostly
from labelnext_adapters.files.llm.replies import SEVERAL, WRITTEN, is_completion
from labelnext_adapters.files.llm.stated import ANSWERS


@dataclass(frozen=True)
class Asked:
    """How answers are read.

    Attributes:
        key: of the items' ids.
        answer_key: of the class in a structured answer; the usual ones when None.
        confidence_key: of the stated confidence; the usual ones when None.
        percent: confidences go up to 100.
    """

    key: str | None = None
    answer_key: str | None = None
    confidence_key: str | None = None
    percent: bool = False


def by_id(records: Sequence[tuple[str, Any]], key: str | None) -> list[tuple[str, Any, Any]]:
    """The records with their ids, if the file is one object from id to answer.

    Raises:
        InvalidInput: if so, and a key is named.
    """
    if len(records) == 1 and isinstance(records[0][1], Mapping):
        inside = records[0][1]
        if inside and not is_completion(inside) and mostly(map(is_answer, inside.values())):
            check_no_key(key, "the keys of the answers are the ids")
            return [(f"key {name[:80]!r}", name, value) for name, value in inside.items()]
    return [(place, None, record) for place, record in records]


def is_answer(value: Any) -> bool:
    """Whether a value is what a model answered, or a list of such."""
    if isinstance(value, list):
        return bool(value) and all(map(is_answer, value[:5]))
    return isinstance(value, Mapping) and bool(is_completion(value) or set(ANSWERS) & value.keys())


def is_unanswered(record: Any, asked: Asked) -> bool:
    """Whether the key of the answer holds nothing: the model wasn't asked."""
    if not isinstance(record, Mapping) or record.get("error"):
        return False
    names = (asked.answer_key,) if asked.answer_key else (*ANSWERS, *WRITTEN, *SEVERAL)
    told = [record[name] for name in names if name in record]
    return bool(told) and all(
        one is None or (isinstance(one, str) and not one.strip()) for one in told
    )
