"""Copies and whole data over a network that fails: nothing is lost, and nothing doubled.

The faults share the requests of a run out: each request meets one or two of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.faulty_proxy import FAULTS, Fault, FaultyProxy

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.faulty_runs import EachRequest

pytest_plugins = ("tests.integration.faulty_runs",)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_any_request_of_an_uncertainty_run_doubles_no_prediction(
    each_request: EachRequest, fault: Fault
) -> None:
    endings = each_request("uncertainty", fault, 2)
    assert min(endings[way] for way in ("resumed", "undone", "not begun")) > 0


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_any_request_of_a_run_that_sends_whole_data_loses_none_of_it(
    each_request: EachRequest, proxy: FaultyProxy, fault: Fault
) -> None:
    # The server refuses to set one key, so that each task's data is read and sent as a whole.
    proxy.refused = "add_data_field"
    endings = each_request("queue", fault, len(FAULTS))
    assert min(endings[way] for way in ("resumed", "undone")) > 0
