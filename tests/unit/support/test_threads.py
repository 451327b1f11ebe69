"""Work in parts: every row once, whatever the number of cores, and errors come through."""

from __future__ import annotations

import numpy as np
import pytest

from labelnext.acquisition.objects import object_statistics
from labelnext.errors import InvalidInput
from labelnext.pool import Objects
from labelnext.support.threads import in_parts


@pytest.fixture(params=[1, 2, 5])
def cores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("labelnext.support.threads._n_cores", lambda: request.param)
    return int(request.param)


@pytest.mark.parametrize("n", [0, 1, 7, 100])
def test_every_row_is_in_one_part(n: int, cores: int) -> None:
    counts, parts = np.zeros(n, dtype=int), []

    def work(start: int, stop: int) -> None:
        counts[start:stop] += 1
        parts.append((start, stop))

    in_parts(n, work, least=10)
    assert (counts == 1).all()
    assert len(parts) == max(1, min(cores, n // 10))


def test_error_of_a_part_is_raised(cores: int) -> None:
    def work(start: int, stop: int) -> None:
        raise InvalidInput(f"row {start}")

    with pytest.raises(InvalidInput, match="row 0"):
        in_parts(100, work, least=10)


def test_statistics_do_not_depend_on_the_number_of_cores(
    cores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labelnext.acquisition.reductions._ITEMS", 10)
    rng = np.random.default_rng(0)
    offsets = np.sort(np.append(rng.integers(0, 1001, 99), [0, 1000]))
    objects = Objects(offsets, rng.random(1000))
    statistics = object_statistics(objects, floor=0.3)
    monkeypatch.setattr("labelnext.support.threads._n_cores", lambda: 1)
    alone = object_statistics(objects, floor=0.3)
    for name in ("count", "sum", "mean", "min", "max"):
        expected = getattr(alone, name)
        assert np.array_equal(getattr(statistics, name), expected, equal_nan=True)
