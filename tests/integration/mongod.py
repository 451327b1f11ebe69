"""A MongoDB of the tests' own, and FiftyOne datasets in it; import the fixtures to use them."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from labelnext_adapters.fiftyone.database.mongod import disconnect, running_mongod, use_database


@cache
def start_mongod() -> str:
    """One for the whole process, however many modules import the fixture; stopped at exit.

    FiftyOne registers its own clean-up when it connects, thus later, so it runs before ours.
    """
    folder = Path(tempfile.mkdtemp(prefix="labelnext-tests-"))
    stack = ExitStack()
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    uri = stack.enter_context(running_mongod(folder))
    stack.callback(disconnect)
    atexit.register(stack.close)
    use_database(uri, folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # FiftyOne's dependencies warn of one another on import
        import fiftyone as fo
        import fiftyone.brain

        fo.config.show_progress_bars = False
        fo.list_datasets()
    return uri


@pytest.fixture(scope="session")
def mongod_uri() -> str:
    """The address of the tests' own database; FiftyOne uses it."""
    return start_mongod()


@pytest.fixture
def dataset(mongod_uri: str) -> Iterator[Any]:
    """An empty dataset with a name of its own, deleted at the end."""
    import fiftyone as fo

    made = fo.Dataset(f"labelnext-{uuid.uuid4().hex[:12]}", persistent=True)
    yield made
    if fo.dataset_exists(made.name):
        fo.delete_dataset(made.name)


@pytest.fixture(scope="module")
def plugins(mongod_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A plugin folder that holds the link, as `labelnext fiftyone install` makes it."""
    import fiftyone as fo

    from labelnext_adapters.fiftyone.app import install_plugin

    folder = tmp_path_factory.mktemp("plugins")
    before = fo.config.plugins_dir, fo.config.default_dataset_dir
    fo.config.plugins_dir, fo.config.default_dataset_dir = str(folder), str(folder / "data")
    install_plugin()
    yield folder
    fo.config.plugins_dir, fo.config.default_dataset_dir = before
