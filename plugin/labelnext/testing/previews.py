"""The suite for adapters whose items can be shown in reports."""

from __future__ import annotations

from labelnext.adapter.capabilities import Capability
from labelnext.adapter.preview import Preview
from labelnext.adapter.protocol import Adapter
from labelnext.errors import LabelnextError
from labelnext.testing.base import Suite, assert_declared


class ShowsItemsSuite(Suite):
    """`Capability.SHOWS_ITEMS`: the adapter shows its items.

    Supply the fixture `adapter` and `state`. At least one item must have a text, an image or a
    link.
    """

    def test_capability_is_declared(self, adapter: Adapter) -> None:
        """It declares the capability and has its members."""
        assert_declared(adapter, Capability.SHOWS_ITEMS)

    def test_items_are_shown_by_their_ids(self, adapter: Adapter) -> None:
        """Some item has something to show, and each preview belongs to an item asked for."""
        ids = adapter.read().item_ids.tolist()
        previews = adapter.previews(ids)  # type: ignore[attr-defined]
        assert set(previews) <= set(ids)
        assert any(shown != Preview() for shown in previews.values())
        for shown in previews.values():
            assert isinstance(shown, Preview)
            assert shown.link is None or shown.link.startswith(("http://", "https://"))
            if shown.image is not None:
                try:
                    assert isinstance(shown.image(), bytes)
                except (OSError, LabelnextError):
                    continue  # a missing image is no error

    def test_items_it_does_not_know_are_left_out(self, adapter: Adapter) -> None:
        """An unknown id is no error."""
        ids = adapter.read().item_ids.tolist()
        shown = adapter.previews(["no such item", ids[0]])  # type: ignore[attr-defined]
        assert "no such item" not in shown

    def test_address_is_a_page_or_none(self, adapter: Adapter) -> None:
        """Where people begin has an address, or there is none."""
        address = adapter.address()  # type: ignore[attr-defined]
        assert address is None or address.startswith(("http://", "https://"))

    def test_showing_changes_nothing(self, adapter: Adapter) -> None:
        """Looking at items leaves the platform as it is."""
        ids = adapter.read().item_ids.tolist()
        before = self.state(adapter)
        adapter.previews(ids)  # type: ignore[attr-defined]
        assert self.state(adapter) == before
