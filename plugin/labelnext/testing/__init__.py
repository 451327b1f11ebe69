"""Test suites for adapters, to subclass: one suite per capability.

    from labelnext.testing import AdapterContract, StreamsSuite

    class MyItems:
        @pytest.fixture
        def adapter(self):
            self.items = make_items()
            return open_adapter("mine", dataset=self.items)

        def reopened(self, adapter):
            return open_adapter("mine", dataset=self.items)

        def state(self, adapter):
            return dump_of_everything_a_user_could_lose()

        def served(self, adapter):
            return ids_in_the_order_the_platform_shows_them()

    class TestMyAdapter(MyItems, AdapterContract):
        pass

    class TestMyAdapterStreams(MyItems, StreamsSuite):
        pass

`AdapterContract` is `ReadsSuite` and `WritesSuite`, which every adapter must pass; `SUITES` names
the suite of each capability. A suite's docstring says which items it needs and what to supply:
usually a fixture `adapter` over new items, and the methods `reopened`, `state` and `served`. pytest
collects subclasses whose names begin with Test. List your class of items first among the bases.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from labelnext.adapter.capabilities import Capability

# So that their bare asserts show values, as in test files.
pytest.register_assert_rewrite(
    *(
        f"{__name__}.{name}"
        for name in (
            "base",
            "reading",
            "writing",
            "batches",
            "labels",
            "predictions",
            "previews",
            "team",
        )
    )
)

from labelnext.testing.base import Suite
from labelnext.testing.batches import GivesBatchesSuite, TakesBatchesSuite
from labelnext.testing.labels import CountsLabelsSuite, TakesLabelsSuite
from labelnext.testing.predictions import TakesPredictionsSuite
from labelnext.testing.previews import ShowsItemsSuite
from labelnext.testing.reading import ReadsSuite, StreamsSuite
from labelnext.testing.team import TellsWorkSuite
from labelnext.testing.writing import TakesObjectScoresSuite, WritesSuite


class AdapterContract(ReadsSuite, WritesSuite):
    """What every adapter must pass: `ReadsSuite` and `WritesSuite`.

    Supply the fixture `adapter`, `reopened`, `state` and `served`; if an undo has to leave
    something behind, `without_what_stays` too.
    """


SUITES: Mapping[Capability, type[Suite]] = {
    Capability.READS: ReadsSuite,
    Capability.WRITES: WritesSuite,
    Capability.STREAMS: StreamsSuite,
    Capability.COUNTS_LABELS: CountsLabelsSuite,
    Capability.GIVES_BATCHES: GivesBatchesSuite,
    Capability.TAKES_BATCHES: TakesBatchesSuite,
    Capability.TAKES_LABELS: TakesLabelsSuite,
    Capability.TAKES_OBJECT_SCORES: TakesObjectScoresSuite,
    Capability.TELLS_WORK: TellsWorkSuite,
    Capability.TAKES_PREDICTIONS: TakesPredictionsSuite,
    Capability.SHOWS_ITEMS: ShowsItemsSuite,
}
"""The suite of each capability."""

__all__ = [
    "SUITES",
    "AdapterContract",
    "CountsLabelsSuite",
    "GivesBatchesSuite",
    "ReadsSuite",
    "ShowsItemsSuite",
    "StreamsSuite",
    "Suite",
    "TakesBatchesSuite",
    "TakesLabelsSuite",
    "TakesObjectScoresSuite",
    "TakesPredictionsSuite",
    "TellsWorkSuite",
    "WritesSuite",
]
