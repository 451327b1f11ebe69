"""The suite for adapters that know who labelled what."""

from __future__ import annotations

from labelnext.adapter.capabilities import Capability
from labelnext.adapter.protocol import Adapter
from labelnext.adapter.team import Act, Shard, Work
from labelnext.testing.base import Suite, assert_declared


class TellsWorkSuite(Suite):
    """`Capability.TELLS_WORK`: the adapter knows who labelled and skipped what.

    Supply the fixture `adapter` and `state`.
    """

    def test_capability_is_declared(self, adapter: Adapter) -> None:
        """It declares the capability and has its members."""
        assert_declared(adapter, Capability.TELLS_WORK)

    def test_work_is_complete_and_typed(self, adapter: Adapter) -> None:
        """Each act names a person and an item, each tab how much is left."""
        work = adapter.work()  # type: ignore[attr-defined]
        assert isinstance(work, Work)
        assert work.wanted >= 1
        for act in work.acts:
            assert isinstance(act, Act)
            assert act.person
            assert act.item_id
        for shard in work.shards:
            assert isinstance(shard, Shard)
            assert shard.left >= 0

    def test_telling_changes_nothing(self, adapter: Adapter) -> None:
        """Looking at the work leaves the platform as it is."""
        before = self.state(adapter)
        adapter.work()  # type: ignore[attr-defined]
        assert self.state(adapter) == before
