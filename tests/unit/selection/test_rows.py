"""The rows of the table say only what their methods can do."""

from __future__ import annotations

import pytest

from labelnext.errors import LabelnextError
from labelnext.selection import Large, SelectionMethod, top_k


@pytest.mark.parametrize("large", ["scores", "clusters", "rounds"])
def test_a_row_that_a_pool_in_parts_cannot_follow_is_refused(large: Large) -> None:
    with pytest.raises(LabelnextError, match="must leave out large"):
        SelectionMethod("every_other", top_k, "O(n)", "none", "every other item", "", large=large)
