"""Whatever an adapter declares, a suite is run on it; and an adapter that breaks its word fails."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import labelnext.testing
from labelnext.adapter import get_adapter
from labelnext.adapter.capabilities import Capability
from labelnext.adapter.registry import ADAPTERS
from labelnext.testing import SUITES, Suite
from tests.contract import test_minimal_contract
from tests.contract.minimal_adapter import MinimalAdapter, MinimalTarget

pytest_plugins = ("pytester",)

TESTS = Path(__file__).resolve().parents[1]
OURS = ADAPTERS.own_names()
DECLARED = [(name, c) for name in OURS for c in Capability if get_adapter(name).can(c)]
MINIMAL = Path(test_minimal_contract.__file__)
# What each capability promises: methods of the adapter, and of what it opens for batches.
PROMISED = {
    Capability.READS: ("check", "read"),
    Capability.WRITES: ("plan", "performer"),
    Capability.STREAMS: ("parts", "read_part"),
    Capability.COUNTS_LABELS: ("count_labels",),
    Capability.GIVES_BATCHES: ("origin", "batch"),
    Capability.TAKES_BATCHES: ("open_target", "SendOptions"),
    Capability.TAKES_LABELS: ("plan_labels",),
    Capability.TAKES_OBJECT_SCORES: ("wants_object_scores",),
    Capability.TELLS_WORK: ("work",),
    Capability.TAKES_PREDICTIONS: ("plan_predictions",),
    Capability.SHOWS_ITEMS: ("previews", "address"),
}
METHODS = [
    *((c, MinimalAdapter, method) for c, methods in PROMISED.items() for method in methods),
    *((Capability.TAKES_BATCHES, MinimalTarget, m) for m in ("plan", "performer", "labels")),
]


def bases(node: ast.ClassDef) -> Iterator[str]:
    """The names of the classes that a class of a test module is made of."""
    return (base.id for base in node.bases if isinstance(base, ast.Name))


def suites_run(path: Path) -> set[tuple[str, type[Suite]]]:
    """The adapters that the test classes of a module open, each with a suite of the class."""
    classes = {n.name: n for n in ast.parse(path.read_text()).body if isinstance(n, ast.ClassDef)}

    def lineage(name: str) -> Iterator[str]:
        """The class and all that it is made of, within the module and labelnext.testing."""
        yield name
        if name in classes:
            for base in bases(classes[name]):
                yield from lineage(base)

    run: set[tuple[str, type[Suite]]] = set()
    for name in classes:
        if name.startswith("Test"):
            made_of = list(lineage(name))
            opened = {a for n in made_of if n in classes for a in adapters_opened(classes[n])}
            public = [getattr(labelnext.testing, n, None) for n in made_of if n not in classes]
            suites = [s for s in SUITES.values() for p in public if p and issubclass(p, s)]
            run |= {(adapter, suite) for adapter in opened for suite in suites}
    return run


def adapters_opened(node: ast.ClassDef) -> Iterator[str]:
    """The names that are given to open_adapter anywhere in a class."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and getattr(call.func, "id", None) == "open_adapter":
            first = call.args[0]
            if isinstance(first, ast.Constant):
                yield str(first.value)


@pytest.fixture(scope="module")
def run_anywhere() -> set[tuple[str, type[Suite]]]:
    """All adapters and suites that meet in a test class under tests/."""
    files = [p for p in TESTS.rglob("test_*.py") if "labelnext.testing" in p.read_text()]
    return set().union(*map(suites_run, files))


def test_every_capability_has_a_suite() -> None:
    assert list(SUITES) == list(PROMISED) == list(Capability)
    assert all(issubclass(suite, Suite) for suite in SUITES.values())


def test_all_of_our_adapters_are_looked_at() -> None:
    assert set(OURS) >= {"files", "fiftyone", "label-studio"}


@pytest.mark.parametrize(("name", "capability"), DECLARED, ids=str)
def test_capability_that_is_declared_is_tested(
    name: str, capability: Capability, run_anywhere: set[tuple[str, type[Suite]]]
) -> None:
    assert (name, SUITES[capability]) in run_anywhere, (
        f"no test class opens {name} and passes {SUITES[capability].__name__}"
    )


def n_failed(pytester: pytest.Pytester, capability: Capability) -> int:
    """How many tests of the capability's suite fail on the minimal adapter, up to the first."""
    suite = SUITES[capability]
    names = [n for n, c in vars(test_minimal_contract).items() if n.startswith("Test")
             and issubclass(c, suite)]  # fmt: skip
    nodes = [f"{MINIMAL}::{name}" for name in names]
    result = pytester.inline_run("-x", "-q", "-p", "no:cacheprovider", *nodes)
    passed, _, failed = result.countoutcomes()
    assert passed + failed
    return failed


@pytest.mark.parametrize("capability", Capability, ids=str)
def test_adapter_that_does_not_declare_a_capability_fails_its_suite(
    capability: Capability, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert n_failed(pytester, capability) == 0
    monkeypatch.setattr(MinimalAdapter, "capabilities", frozenset(Capability) - {capability})
    assert n_failed(pytester, capability) == 1


@pytest.mark.parametrize(("capability", "of", "method"), METHODS)
def test_adapter_that_lacks_a_promised_method_fails_its_suite(
    capability: Capability,
    of: type,
    method: str,
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(of, method)
    assert n_failed(pytester, capability) == 1
