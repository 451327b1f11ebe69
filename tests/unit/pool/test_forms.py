"""Pool alone knows how many model versions there are; nobody else asks its columns for their form.

What takes plain arrays or objects from a caller has to check them, and is listed with the reason.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from inspect import getsourcefile, unwrap
from pathlib import Path
from typing import Any

import pytest

from labelnext.acquisition import bald, committee_certainty, entropy, mean_object_confidence
from labelnext.embeddings.onnx import onnx_embedder
from labelnext.pool import Pool
from labelnext.pool.answers import spread_rest
from labelnext.pool.checks import rows_of
from labelnext.pool.digest import update
from labelnext.pool.objects import checked_objects
from labelnext.pool.probabilities import checked_probabilities
from labelnext.pool.read_only import read_only
from labelnext.selection.vectors import as_points
from labelnext.testing.reading import ReadsSuite
from labelnext_adapters.fiftyone.database.values import stream
from labelnext_adapters.files.formats.npz import NpzOptions
from labelnext_adapters.files.spacy.documents import read_docbin
from labelnext_adapters.files.spacy.pool import pool_of_documents
from labelnext_adapters.files.tables.numpy_shards import read_parts
from labelnext_adapters.files.tables.vectors import usable_members
from labelnext_adapters.files.vision.unpickle import load_pickle

# By what a module holds, so that it may move: something of it, and why it may ask.
ALLOWED: Mapping[Callable[..., Any], str] = {
    Pool: "it gives one version and several the same form",
    checked_objects: "it checks the columns of objects",
    rows_of: "it checks arrays",
    checked_probabilities: "it checks the probabilities that come in",
    update: "every kind of column, for the fingerprint",
    read_only: "every kind of column, as functions get them",
    spread_rest: "an array from any caller",
    bald: "an array of members from any caller",
    committee_certainty: "objects from any caller",
    entropy: "rows or objects from any caller",
    mean_object_confidence: "objects from any caller",
    as_points: "vectors from any caller",
    usable_members: "an array of a file, before there is a pool",
    read_parts: "arrays of files, before there is a pool",
    ReadsSuite: "an adapter's modules",
    pool_of_documents: "a key of spaCy's user data",
    onnx_embedder: "what a model of images takes and gives",
    read_docbin: "values of msgpack",
    NpzOptions: "arrays of a file, before there is a pool",
    load_pickle: "the state of a pickled array",
    stream: "vectors of samples, before there is a pool",
}


def sources() -> Iterator[Path]:
    for package in ("labelnext", "labelnext_adapters", "labelnext_app"):
        spec = find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        yield from Path(spec.origin).parent.rglob("*.py")


def asks(source: str) -> list[str]:
    """The places that ask for a number of dimensions, or whether something is Objects or a tuple.

    A test for a list or a tuple is none: no column of a pool is a list.
    """
    return [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, (ast.Attribute, ast.Call)) and _asks(node)
    ]


def _asks(node: ast.Attribute | ast.Call) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr == "ndim"
    called = ast.unparse(node.func)
    if called == "len" and len(node.args) == 1:
        return isinstance(node.args[0], ast.Attribute) and node.args[0].attr == "shape"
    if called != "isinstance" or len(node.args) != 2:
        return False
    kinds = {ast.unparse(part).split(".")[-1] for part in _parts(node.args[1])}
    return "Objects" in kinds or ("tuple" in kinds and "list" not in kinds)


def _parts(kinds: ast.expr) -> Iterator[ast.expr]:
    """The classes of `A`, of `(A, B)` and of `A | B`."""
    if isinstance(kinds, ast.Tuple):
        for part in kinds.elts:
            yield from _parts(part)
    elif isinstance(kinds, ast.BinOp):
        yield from _parts(kinds.left)
        yield from _parts(kinds.right)
    else:
        yield kinds


@pytest.mark.parametrize(
    ("source", "wrong"),
    [
        ("rows = p if p.ndim == 2 else p.mean(0)", True),
        ("several = len(pool.probabilities.shape) == 3", True),
        ("newest = o[-1] if isinstance(o, tuple) else o", True),
        ("single = isinstance(pool.objects, Objects)", True),
        ("single = isinstance(pool.objects, pool.Objects | None)", True),
        ("either = isinstance(pool.objects, (Objects, tuple))", True),
        ("nested = isinstance(value, (list, tuple))", False),
        ("width = pool.members.shape[-1]", False),
        ("newest = pool.newest_objects", False),
    ],
)
def test_what_asks_for_a_form_is_told_from_what_does_not(source: str, wrong: bool) -> None:
    assert bool(asks(source)) is wrong


def test_no_module_asks_a_pools_columns_for_their_form() -> None:
    allowed = {Path(getsourcefile(unwrap(known)) or "").resolve() for known in ALLOWED}
    paths = list(sources())
    assert allowed <= {path.resolve() for path in paths}
    asking = {
        f"{path.parent.name}/{path.name}": places
        for path in paths
        if path.resolve() not in allowed and (places := asks(path.read_text(encoding="utf-8")))
    }
    assert not asking, "use Pool.members, object_sets, newest_objects or mean_probabilities"
