"""Counts in messages."""

from __future__ import annotations

import pytest

from labelnext.support.words import counted


@pytest.mark.parametrize(
    ("n", "words"),
    [(0, "0 items"), (1, "1 item"), (2, "2 items"), (1000, "1,000 items")],
)
def test_count_agrees_with_its_noun(n: int, words: str) -> None:
    assert counted(n, "item") == words


def test_plural_that_is_given_is_used() -> None:
    assert counted(1, "box", "boxes") == "1 box"
    assert counted(2, "box", "boxes") == "2 boxes"
