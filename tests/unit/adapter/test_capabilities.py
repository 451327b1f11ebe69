"""What adapters declare, and what is said where something is missing."""

from __future__ import annotations

from typing import Any

import pytest

from labelnext.adapter import Adapter, able, get_adapter
from labelnext.adapter.capabilities import Capability, can, missing_capability
from labelnext.adapter.registry import get_target, target_names
from labelnext.cli import app
from labelnext.config import load_config
from labelnext.errors import ConfigError, UnknownName

BOTH = {Capability.READS, Capability.WRITES}
DECLARED = {
    "files": BOTH | {Capability.STREAMS, Capability.GIVES_BATCHES, Capability.SHOWS_ITEMS},
    "fiftyone": BOTH
    | {
        Capability.COUNTS_LABELS,
        Capability.GIVES_BATCHES,
        Capability.TAKES_BATCHES,
        Capability.TAKES_LABELS,
        Capability.TAKES_OBJECT_SCORES,
        Capability.TAKES_PREDICTIONS,
        Capability.SHOWS_ITEMS,
    },
    "label-studio": BOTH
    | {
        Capability.COUNTS_LABELS,
        Capability.TAKES_BATCHES,
        Capability.TELLS_WORK,
        Capability.TAKES_PREDICTIONS,
        Capability.SHOWS_ITEMS,
    },
}


@pytest.mark.parametrize("name", DECLARED)
@pytest.mark.parametrize("capability", Capability, ids=lambda c: c.name)
def test_adapter_can_what_it_declares_and_has_what_that_promises(
    name: str, capability: Capability
) -> None:
    adapter = get_adapter(name)
    assert Adapter in adapter.__mro__
    assert adapter.can(capability) == can(adapter, capability)
    assert adapter.can(capability) == (capability in DECLARED[name])
    if adapter.can(capability):
        assert all(hasattr(adapter, member) for member in capability.promises)


def test_adapters_that_can_are_listed_by_name() -> None:
    ours = {"fiftyone", "files", "label-studio"}  # others may be installed beside them

    def among(names: list[str]) -> list[str]:
        return [name for name in names if name in ours]

    assert among(able(Capability.READS)) == ["fiftyone", "files", "label-studio"]
    assert among(able(Capability.COUNTS_LABELS)) == ["fiftyone", "label-studio"]
    assert among(able(Capability.STREAMS)) == ["files"]
    assert among(target_names()) == ["fiftyone", "label-studio"]


def test_error_names_the_adapter_what_it_cannot_do_and_those_that_can() -> None:
    error = missing_capability("source.adapter", "x", Capability.STREAMS, ["files"])
    assert str(error) == (
        "source.adapter must be able to read large pools in parts; 'x' can't. "
        "Hint: adapters that can: files."
    )
    error = missing_capability("source.adapter", "x", Capability.STREAMS, [])
    assert error.hint == "no installed adapter can."


def test_platform_that_takes_no_batches_is_told_from_one_that_does_not_exist() -> None:
    with pytest.raises(UnknownName) as caught:
        get_target("files")
    assert caught.value.message == (
        "adapter must be able to take batches from other platforms; 'files' can't."
    )
    assert caught.value.hint == "adapters that can: fiftyone, label-studio."
    with pytest.raises(UnknownName, match="must be one of fiftyone, label-studio; got 'cvat'"):
        get_target("cvat")


def test_configuration_says_so_with_the_key() -> None:
    config = {"source": {"adapter": "files", "path": "p.csv"}, "send": {"adapter": "files"}}
    with pytest.raises(ConfigError) as caught:
        load_config(config)
    assert "send.adapter must be able to take batches from other platforms" in str(caught.value)


def test_table_of_adapters_says_what_each_can_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = printed(monkeypatch, capsys)
    assert lines["files"] == (
        "read items, write rankings, read large pools in parts, "
        "give batches to other platforms, show its items in reports yes"
    )
    assert (
        lines["label-studio"]
        .removesuffix(" yes")
        .endswith(
            "count labels, take batches from other platforms, tell who labelled what, "
            "take predictions, show its items in reports"
        )
    )
    assert (
        lines["fiftyone"]
        .removesuffix(" yes")
        .endswith(
            "take labels back, write a score for each object, take predictions, "
            "show its items in reports"
        )
    )


def printed(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> dict[str, str]:
    """What `labelnext adapters` prints, by the name in the first column."""
    from labelnext.cli.console import out

    monkeypatch.setattr(out, "width", 250)
    app(["adapters"], standalone_mode=False)
    rows = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    return {name: rest for name, _, rest in (row.partition(" ") for row in rows)}
