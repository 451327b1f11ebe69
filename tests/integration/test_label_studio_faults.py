"""Data keys over a network that fails: each request of a run meets one fault; none does harm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.faulty_runs import EachRequest

pytest_plugins = ("tests.integration.faulty_runs",)


@pytest.mark.parametrize("mode", ["queue", "batch"])
def test_a_fault_at_any_request_of_a_run_is_settled(each_request: EachRequest, mode: str) -> None:
    endings = each_request(mode)
    assert min(endings[way] for way in ("resumed", "undone", "not begun")) > 0
