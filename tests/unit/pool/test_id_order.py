"""The order of ids, against Python's own numbers."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelnext.pool.id_order import _short_numbers, id_order


def by_python(ids: list[str]) -> list[int]:
    whole = all(re.fullmatch("-?[0-9]+", i) for i in ids)
    return sorted(range(len(ids)), key=lambda k: (int(ids[k]) if whole else 0, ids[k]))


@pytest.mark.parametrize("letters", ["0123456789", "01", "-01", "019 ", "1٣", "1\x002", "1²"])
@given(data=st.data())
def test_order_is_that_of_pythons_numbers(letters: str, data: st.DataObject) -> None:
    texts = st.text(letters, min_size=1, max_size=22).map(lambda text: text.rstrip("\0"))
    ids = data.draw(st.lists(texts.filter(bool), max_size=8))
    assert id_order(np.array(ids, dtype=np.str_)).tolist() == by_python(ids)


def test_order_of_numbers_that_fill_64_bits() -> None:
    ids = np.array(["9999999999999999999", "18446744073709551616", "0", "1", "00"])
    assert id_order(ids).tolist() == [2, 4, 3, 0, 1]
    assert _short_numbers(np.arange(12).astype(np.str_)).tolist() == [*range(12)]  # 21 wide
    assert id_order(ids[[0, 2, 3, 4]]).tolist() == [1, 3, 2, 0]
    assert id_order(ids[::-2]).tolist() == [1, 0, 2]
