"""The App plugin gets into FiftyOne's plugin folder, and out of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest import mock

import pytest

from labelnext.errors import ConfigError, NotFound, Unavailable, WriteRefused
from tests.integration.app import PARTS, PLUGIN

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
    assert (folder / "labelnext-plugin").is_symlink()
    command("fiftyone", "uninstall")
    assert listed() == []
    with pytest.raises(NotFound, match="it is not"):
        command("fiftyone", "uninstall")


def test_installing_says_that_fiftyone_registers_all(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command("fiftyone", "install")
    assert "registers its 6 operators and panels" in " ".join(capsys.readouterr().out.split())


def test_the_link_of_an_earlier_version_is_replaced(folder: Path) -> None:
    folder.mkdir()
    (folder / "labelnext").symlink_to(REPOSITORY / "plugin" / "labelnext_app")
    command("fiftyone", "install")
    assert [link.name for link in folder.iterdir()] == ["labelnext-plugin"]
    assert listed() == [PLUGIN]


def test_no_package_is_called_as_the_plugin_s_link(folder: Path) -> None:
    # FiftyOne 1.10 to 1.13 put the plugin into sys.modules under the name of its folder.
    command("fiftyone", "install")
    (link,) = folder.iterdir()
    assert not link.name.isidentifier()


_LOADED = ("fiftyone.plugins.orgs", "labelnext-plugin")  # the latter by FiftyOne 1.10 to 1.13


def forget_plugins() -> None:
    """Let FiftyOne's loader read the code of plugins again."""
    for name in [name for name in sys.modules if name.startswith(_LOADED)]:
        del sys.modules[name]


@pytest.fixture
def nothing_stays_loaded() -> Iterator[None]:
    """Other tests of this process load the plugin anew."""
    yield
    forget_plugins()


@pytest.mark.usefixtures("nothing_stays_loaded")
def test_a_plugin_that_lacks_an_operator_is_not_taken_for_installed(
    folder: Path, tmp_path: Path, mongod_uri: str
) -> None:
    from labelnext_adapters.fiftyone.app.plugin import check_plugin, plugin_finding

    copy = folder / "labelnext-plugin"
    shutil.copytree(REPOSITORY / "plugin" / "labelnext_app", copy)
    assert plugin_finding().level == "ok"
    parts = copy / "parts.py"
    parts.write_text(parts.read_text().replace("PARTS = (RankSamples, ", "PARTS = ("))
    forget_plugins()
    with pytest.raises(Unavailable, match=r"must register every operator.*; rank_samples failed"):
        check_plugin(copy)
    assert plugin_finding().level == "warning"


def test_something_else_of_that_name_stays(folder: Path) -> None:
    (folder / "labelnext-plugin").mkdir(parents=True)
    (folder / "labelnext-plugin" / "mine.txt").write_text("mine")
    for action in ("install", "uninstall"):
        with pytest.raises(WriteRefused, match="something else"):
            command("fiftyone", action)
    assert (folder / "labelnext-plugin" / "mine.txt").read_text() == "mine"


def test_the_app_opens_fiftyone_alone(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("source: {adapter: files, path: p.csv}\n")
    with pytest.raises(ConfigError, match="must be fiftyone"):
        command("app", str(config))


def test_an_app_whose_python_lacks_labelnext_says_what_to_install(
    folder: Path, mongod_uri: str
) -> None:
    folder.mkdir()
    shutil.copytree(REPOSITORY / "plugin" / "labelnext_app", folder / "labelnext-plugin")
    environment = {
        **os.environ,
        "FIFTYONE_PLUGINS_DIR": str(folder),
        "FIFTYONE_DATABASE_URI": mongod_uri,
    }
    command = [sys.executable, "-W", "ignore", "-c", WITHOUT, str(REPOSITORY)]
    answer = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=200, check=True
    )
    shown = json.loads(answer.stdout.splitlines()[-1])
    assert set(shown) == PARTS
    line = f"{sys.executable} -m pip install 'labelnext[fiftyone]'"
    assert [uri for uri, text in shown.items() if line not in text] == []


# The package is found by the two folders that its installation puts on the path.
WITHOUT = """
import json, sys
sys.path[:] = [p for p in sys.path if not p.startswith(sys.argv[1] + "/") or "site-packages" in p]
import fiftyone.plugins.context as context
try:
    import labelnext
except ModuleNotFoundError:
    pass
else:
    raise SystemExit("labelnext is there all the same")
(found,) = [c for c in context.build_plugin_contexts() if c.name == "@labelnext/labelnext"]
shown = {}
for part in found.instances:
    if part.config.name == "label_next":
        shown[part.uri] = part.render(None).to_json()["type"]["properties"]["install"]["default"]
        continue
    form = part.resolve_input(None).to_json()["type"]["properties"]["install"]["default"]
    try:
        part.execute(None)
    except ModuleNotFoundError as error:
        shown[part.uri] = form + str(error)
print(json.dumps(shown))
"""


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
    assert not (folder / "labelnext-plugin").is_symlink()
