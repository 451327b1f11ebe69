"""One odd record or score decides for itself alone, in every format and wherever it stands."""

from __future__ import annotations

import pytest

from tests.formats.one_odd import tries, wrong
from tests.formats.one_odd_records import MANY

N = 24


@pytest.mark.parametrize("name", MANY)
@pytest.mark.parametrize("at", [0, N // 2])
def test_an_odd_record_decides_for_itself_alone(name: str, at: int) -> None:
    found = {
        f"{odd!r} {'' if whole else 'as score'}": why
        for odd, whole in tries(MANY[name])
        if (why := wrong(MANY[name], N, at, odd, whole=whole)) is not None
    }
    assert not found
