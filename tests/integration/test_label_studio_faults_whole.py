"""Copies and whole data over a network that fails: nothing is lost, and nothing doubled.

Each request of a run meets one of the faults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.faulty_proxy import FaultyProxy

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.faulty_runs import EachRequest

pytest_plugins = ("tests.integration.faulty_runs",)


def test_a_fault_at_any_request_of_an_uncertainty_run_doubles_no_prediction(
    each_request: EachRequest,
) -> None:
    endings = each_request("uncertainty")
    assert min(endings[way] for way in ("resumed", "undone", "not begun")) > 0


def test_a_fault_at_any_request_of_a_run_that_sends_whole_data_loses_none_of_it(
    each_request: EachRequest, proxy: FaultyProxy
) -> None:
    # The server refuses to set one key, so that each task's data is read and sent as a whole.
    proxy.refused = "add_data_field"
    endings = each_request("queue")
    assert min(endings[way] for way in ("resumed", "undone")) > 0
