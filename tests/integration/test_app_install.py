"""The App plugin gets into FiftyOne's plugin folder, and out of it."""

from __future__ import annotations

import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest import mock

import pytest

from labelnext.errors import ConfigError, NotFound, WriteRefused

PLUGIN = "@labelnext/labelnext"
REPOSITORY = Path(__file__).resolve().parents[2]

pytest_plugins = ("tests.integration.mongod",)


@pytest.fixture
def folder(mongod_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import fiftyone as fo

    monkeypatch.setattr(fo.config, "plugins_dir", str(tmp_path / "plugins"))
    return tmp_path / "plugins"


def listed() -> list[str]:
    import fiftyone.plugins as fop

    return [plugin.name for plugin in fop.list_plugins(enabled="all") if not plugin.builtin]


def command(*arguments: str) -> None:
    from labelnext.cli import app

    with mock.patch.object(sys, "argv", ["labelnext", *arguments]):
        app(standalone_mode=False)


def test_installing_links_the_plugin_and_uninstalling_takes_it_out(folder: Path) -> None:
    command("fiftyone", "install")
    command("fiftyone", "install")
    assert listed() == [PLUGIN]
    assert (folder / "labelnext").is_symlink()
    command("fiftyone", "uninstall")
    assert listed() == []
    with pytest.raises(NotFound, match="it is not"):
        command("fiftyone", "uninstall")


def test_something_else_of_that_name_stays(folder: Path) -> None:
    (folder / "labelnext").mkdir(parents=True)
    (folder / "labelnext" / "mine.txt").write_text("mine")
    for action in ("install", "uninstall"):
        with pytest.raises(WriteRefused, match="something else"):
            command("fiftyone", action)
    assert (folder / "labelnext" / "mine.txt").read_text() == "mine"


def test_the_app_opens_fiftyone_alone(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("source: {adapter: files, path: p.csv}\n")
    with pytest.raises(ConfigError, match="must be fiftyone"):
        command("app", str(config))


def test_fiftyone_downloads_the_plugin_from_an_archive(folder: Path, tmp_path: Path) -> None:
    import fiftyone.plugins as fop

    served = tmp_path / "served"
    served.mkdir()
    archive = ["git", "archive", "--format=zip", "--prefix=labelnext-main/"]
    files = ["--output", str(served / "labelnext.zip"), "HEAD", "plugin/labelnext_app"]
    subprocess.run([*archive, *files], cwd=REPOSITORY, check=True)
    handler = partial(SimpleHTTPRequestHandler, directory=str(served))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}/labelnext.zip"
            assert list(fop.download_plugin(url)) == [PLUGIN]
        finally:
            server.shutdown()
            thread.join()
    assert listed() == [PLUGIN]
    assert not (folder / "labelnext").is_symlink()
