"""Chromium for the tests: the machine's own, else Playwright's."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def find_chromium() -> str | None:
    """The program of the machine's Chromium, if it has one."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """A browser without a window.

    Playwright's own is used where the machine has none; `make browser` puts it there.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
        path = find_chromium() or own
        if not Path(path).exists():
            pytest.fail("Chromium must be installed: run make browser.", pytrace=False)
        browser = playwright.chromium.launch(
            executable_path=path,
            # Containers run as root and have little shared memory.
            args=["--no-sandbox", "--disable-dev-shm-usage"],
        )
        yield browser
        browser.close()
