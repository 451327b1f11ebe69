"""Pickles are read without running anything."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labelnext import rank
from labelnext.adapter import open_adapter
from labelnext.errors import InvalidInput
from labelnext_adapters.files.vision.unpickle import load_pickle
from tests.formats.independent import by_mean, ranked, read
from tests.unit.files.test_vision import NAMES, POSITIONS


def saved(folder: Path, value: Any, protocol: int = 4) -> Path:
    path = folder / "p.pkl"
    path.write_bytes(value if isinstance(value, bytes) else pickle.dumps(value, protocol))
    return path


class Runs:
    """Makes a folder when it is unpickled by anybody who looks up what it names."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.place),)


@pytest.mark.parametrize("protocol", range(6))
def test_arrays_of_every_protocol_are_ranked(protocol: int) -> None:
    pool = read(f"pickle/torchvision_{protocol}.pkl", image_size=[100, 80])
    assert ranked(pool) == NAMES
    np.testing.assert_allclose(pool.objects.boxes[0], [0.1, 0.25, 0.5, 0.5])


def test_results_of_mmdetection_are_ranked() -> None:
    assert ranked(read("pickle/mmdetection_2.pkl")) == POSITIONS
    assert ranked(read("pickle/mmdetection_3.pkl")) == NAMES


def test_a_malicious_pickle_runs_nothing(tmp_path: Path) -> None:
    place = tmp_path / "made"
    for protocol in range(6):
        path = saved(tmp_path, {"a.jpg": {"boxes": [], "scores": Runs(place)}}, protocol)
        with pytest.raises(InvalidInput, match=r"only numpy arrays.*mkdir, and nothing of it"):
            read(path)
    assert not place.exists()
    pickle.loads(path.read_bytes())  # it would have run
    assert place.is_dir()


@pytest.mark.parametrize(
    "name",
    ["os.system", "builtins.eval", "builtins.getattr", "numpy.load", "numpy.core._internal._ctypes",
     "functools.partial", "operator.attrgetter", "labelnext.rank", "numpy.lib.npyio.DataSource"],
)  # fmt: skip
def test_no_function_is_ever_found(tmp_path: Path, name: str) -> None:
    module, _, function = name.rpartition(".")
    path = saved(tmp_path, f"c{module}\n{function}\n(S'x'\ntR.".encode())
    with pytest.raises(InvalidInput, match=f"this one needs {name}, and nothing of it was run"):
        read(path)


def test_torch_is_told_how_to_convert(tmp_path: Path) -> None:
    path = saved(tmp_path, b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(tR.")
    with pytest.raises(InvalidInput, match=r"import json, torch; results = torch\.load"):
        read(path)
    (tmp_path / "results.pt").write_bytes(b"PK\x03\x04 and so on")
    with pytest.raises(InvalidInput, match=r"torch\.save\(\) aren't read.*json\.dump"):
        read(tmp_path / "results.pt")


def test_plain_values_come_as_they_are(tmp_path: Path) -> None:
    value = {"a": [1, 2.5, None, True, "x", b"y"], 3: (np.float32(0.5), np.array(["s", "t"]))}
    plain = {"a": [1, 2.5, None, True, "x", "y"], "3": [0.5, ["s", "t"]]}
    assert load_pickle(saved(tmp_path, value)) == plain
    turned = np.arange(6).reshape(2, 3).T
    assert load_pickle(saved(tmp_path, turned)) == turned.tolist()
    objects = np.array([[1], "b"], dtype=object)
    assert load_pickle(saved(tmp_path, objects)) == [[1], "b"]


def test_what_refers_to_itself_or_grows_without_end_is_refused(tmp_path: Path) -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    with pytest.raises(InvalidInput, match="nested deeper"):
        load_pickle(saved(tmp_path, cycle))
    bomb: Any = [0]
    for _ in range(28):
        bomb = [bomb, bomb, bomb]
    with pytest.raises(InvalidInput, match="at most 50,000,000 values"):
        load_pickle(saved(tmp_path, bomb))
    key: Any = ()
    for _ in range(25):
        key = (key, key)
    slow = pickle.dumps(key)[:-1].replace(b"\x95", b"\x95")
    with pytest.raises(InvalidInput, match="keys of a pickle must be text or numbers"):
        load_pickle(saved(tmp_path, b"}" + slow[2:].split(b"\x95", 1)[-1][8:] + b"K\x01s."))


@pytest.mark.parametrize(
    "data",
    [b"\x80\x04.", b"\x80\x04", b"\x80\x04K", b"r\xff\xff\xff\x7f.", b"\x80\x04N\x93.", b"hello",
     b"\x80\x05\x96\xff\xff\xff\xff\xff\x00\x00\x00.", b"\x80\x04]Q.", b"\x80\x04K\x01\x81."],
)  # fmt: skip
def test_a_broken_pickle_is_told(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"p\.pkl"):
        read(saved(tmp_path, data))


def test_a_pickle_of_something_else_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="must hold the detections of each image"):
        read(saved(tmp_path, {"weights": [1.0]}))
    dates = np.array(["2020-01-01"], dtype="datetime64[D]")
    with pytest.raises(InvalidInput, match="arrays must hold numbers or text; got the type 'M8'"):
        read(saved(tmp_path, dates))
    assert by_mean({}) == []


def test_a_pickled_list_of_records_is_a_table(tmp_path: Path) -> None:
    records = [{"id": "a", "cat": 0.9, "dog": 0.1}, {"id": "b", "cat": 0.5, "dog": 0.5}]
    (tmp_path / "p.pkl").write_bytes(pickle.dumps(records))
    adapter: Any = open_adapter("files", directory=tmp_path, path="p.pkl")
    assert rank(adapter.read()).item_ids.tolist() == ["b", "a"]
