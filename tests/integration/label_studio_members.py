"""People who label beside the owner of the token."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.label_studio_server import LabelStudio


@pytest.fixture(scope="module")
def people(label_studio: LabelStudio) -> Iterator[list[LabelStudio]]:
    """Three members of the organization beside the owner of the token."""
    found = [label_studio.second_user() for _ in range(3)]
    yield found
    for person in found:
        person.close()
