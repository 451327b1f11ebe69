"""Suites for reading: all items at once, or a pool in parts."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from labelnext.adapter.capabilities import Capability, can
from labelnext.adapter.options import Options, WriteOptions, described
from labelnext.adapter.protocol import Adapter, Finding, Part, Streams
from labelnext.errors import InvalidInput
from labelnext.pool.pool import Pool
from labelnext.ranking.rank import rank
from labelnext.runs.large.part import Scored, do_part, file_name
from labelnext.support.store import Store
from labelnext.testing.base import Suite, assert_declared, missing_members


class ReadsSuite(Suite):
    """`Capability.READS`: the adapter checks its platform and reads all items.

    Supply the fixture `adapter`, `reopened` and `state`. The items must include at least four that
    are unlabelled and can be scored, one that is labelled, and one without a prediction.
    """

    def test_adapter_declares_that_it_reads(self, adapter: Adapter) -> None:
        assert_declared(adapter, Capability.READS)

    def test_what_the_adapter_can_do_beside_is_declared(self, adapter: Adapter) -> None:
        able = [c for c in Capability if not missing_members(adapter, c)]
        undeclared = [c.name for c in able if not can(adapter, c)]
        assert not undeclared, f"what is not declared is never asked for: {undeclared}"

    def test_class_names_itself_and_its_options(self, adapter: Adapter) -> None:
        assert adapter.name
        assert isinstance(adapter.requires, tuple)
        assert callable(adapter.close)
        assert adapter.install.startswith("pip install")
        assert issubclass(adapter.SourceOptions, Options)
        assert issubclass(adapter.WriteOptions, WriteOptions)
        for model in (adapter.SourceOptions, adapter.WriteOptions):
            undescribed = [n for n, f in described(model).items() if not f.description]
            assert not undescribed, f"options without a description: {undescribed}"

    def test_check_finds_nothing_wrong_and_changes_nothing(self, adapter: Adapter) -> None:
        before = self.state(adapter)
        findings = adapter.check()
        assert findings
        assert all(isinstance(finding, Finding) for finding in findings)
        assert not [finding for finding in findings if finding.level == "error"]
        assert self.state(adapter) == before

    def test_read_gives_a_pool_with_labelled_and_missing_items(self, adapter: Adapter) -> None:
        pool = adapter.read()
        assert isinstance(pool, Pool)
        assert pool.labelled.any()
        assert pool.missing.any()
        assert (~pool.labelled & ~pool.missing).sum() >= 4

    def test_read_twice_gives_the_same(self, adapter: Adapter) -> None:
        assert adapter.read().fingerprint() == self.reopened(adapter).read().fingerprint()


class StreamsSuite(Suite):
    """`Capability.STREAMS`: the adapter reads a pool larger than memory part by part.

    Supply the fixture `adapter`, `reopened` and `break_part`. The source must have at least two
    parts, and each item an embedding and a group; some items may be labelled or lack a prediction.
    """

    def break_part(self, adapter: Adapter, part: Part) -> None:
        """Spoil what the part is read from, and leave the other parts as they are."""
        raise NotImplementedError

    def test_adapter_declares_that_it_streams(self, adapter: Any) -> None:
        assert_declared(adapter, Capability.STREAMS)

    def test_parts_are_numbered_data_in_a_stable_order(self, adapter: Any) -> None:
        parts = _parts_of(adapter)
        assert [part.number for part in parts] == list(range(len(parts)))
        assert len({part.name for part in parts}) == len(parts)
        assert all(part.name and part.rows > 0 for part in parts)
        assert [_through_json(part) for part in parts] == parts
        assert _parts_of(self.reopened(adapter)) == parts

    def test_part_is_numbered_from_0_and_gives_its_ids_as_strings(self, adapter: Any) -> None:
        for part in _parts_of(adapter):
            pool, ids = adapter.read_part(part)
            assert len(pool) == len(ids) == part.rows
            assert pool.item_ids.tolist() == [str(number) for number in range(part.rows)]
            assert str(ids.type) in ("string", "large_string")
            assert ids.null_count == 0

    def test_parts_together_are_the_whole_pool(self, adapter: Any) -> None:
        read = [adapter.read_part(part) for part in _parts_of(adapter)]
        ids = [item for _, part_ids in read for item in part_ids.to_pylist()]
        whole = adapter.read()
        assert len(set(ids)) == len(ids)
        assert sorted(ids) == sorted(whole.item_ids.tolist())
        for name in ("labelled", "missing"):
            flags = np.concatenate([getattr(pool, name) for pool, _ in read]).tolist()
            expected = dict(
                zip(whole.item_ids.tolist(), getattr(whole, name).tolist(), strict=True)
            )
            assert dict(zip(ids, flags, strict=True)) == expected, name

    def test_parts_score_as_the_whole_pool_does(self, adapter: Any) -> None:
        in_parts: dict[str, float] = {}
        for part in _parts_of(adapter):
            pool, ids = adapter.read_part(part)
            names = ids.to_pylist()
            scores = _scores(pool, self.acquisition)
            in_parts |= {names[int(number)]: score for number, score in scores.items()}
        whole = _scores(adapter.read(), self.acquisition)
        assert whole
        assert in_parts.keys() == whole.keys()
        np.testing.assert_allclose([in_parts[item] for item in whole], list(whole.values()))

    def test_embeddings_and_groups_are_read_where_asked_for(self, adapter: Any) -> None:
        whole = adapter.read()
        position = {item: row for row, item in enumerate(whole.item_ids.tolist())}
        for part in _parts_of(adapter):
            pool, ids = adapter.read_part(part, ("embedding", "group"))
            rows = [position[item] for item in ids.to_pylist()]
            assert pool.embeddings is not None
            assert pool.groups is not None
            np.testing.assert_array_equal(pool.embeddings, whole.embeddings[rows])
            assert pool.groups.tolist() == whole.groups[rows].tolist()

    def test_part_read_twice_is_the_same_also_in_another_process(self, adapter: Any) -> None:
        other: Any = self.reopened(adapter)
        for part in _parts_of(adapter):
            first = _content(adapter, part)
            assert _content(adapter, part) == first
            assert _content(other, _through_json(part)) == first

    @pytest.mark.parametrize("skip_broken", [False, True])
    def test_broken_part_is_named_and_the_others_are_read(
        self, adapter: Any, tmp_path: Path, skip_broken: bool
    ) -> None:
        broken, *others = _parts_of(adapter)
        before = [_content(adapter, part) for part in others]
        self.break_part(adapter, broken)
        other: Any = self.reopened(adapter)
        task, store = _Reading(skip_broken), Store(tmp_path / "kept")
        if skip_broken:
            (problem,) = do_part(other, broken, task, store).problems
        else:
            with pytest.raises(InvalidInput) as caught:
                do_part(other, broken, task, store)
            problem = caught.value.message
        assert problem.startswith(f"{broken.name}: ")
        assert [_content(other, part) for part in others] == before


@dataclass
class _Reading:
    """Reads parts, as a run does."""

    skip_broken: bool

    def name(self, part: Part) -> str:
        return file_name("read", part, None)

    def table(self, reader: Streams, part: Part, store: Store) -> tuple[pa.Table, Scored]:
        return pa.table({"item_id": reader.read_part(part)[1]}), Scored()

    def nothing(self) -> pa.Table:
        return pa.table({"item_id": pa.array([], pa.string())})


def _parts_of(adapter: Any) -> list[Part]:
    """The parts of the source, at least two."""
    parts: list[Part] | None = adapter.parts()
    assert parts is not None, "the source must have parts"
    assert len(parts) >= 2
    return parts


def _content(adapter: Any, part: Part) -> tuple[str, list[str]]:
    """What is read of a part, for ``==``: its fingerprint and ids."""
    pool, ids = adapter.read_part(part)
    return pool.fingerprint(), ids.to_pylist()


def _scores(pool: Pool, acquisition: str) -> dict[str, float]:
    """The score of each item that is ranked, by its id."""
    ranking = rank(pool, acquisition)
    return dict(zip(ranking.pool_order.tolist(), ranking.pool_scores.tolist(), strict=True))


def _through_json(part: Part) -> Part:
    """The part as another process would receive it."""
    return Part(**json.loads(json.dumps({**asdict(part), "payload": dict(part.payload)})))
