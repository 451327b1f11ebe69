"""Any pool and any question: a ranking that holds to a few lines of numpy, or one line."""

from __future__ import annotations

import csv
import io
import random
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import labelnext
from labelnext import Pool, Ranking, rank
from labelnext.errors import LabelnextError
from labelnext.selection import SELECTIONS, get_selection
from tests.fuzz.campaign import Campaign
from tests.fuzz.pools import asked, drawn, made, one_line
from tests.unit.runs.large.test_job import settings, spread, written

PLAIN = ("least_confidence", "margin", "entropy", "variance")


def check_ranking(pool: Pool, ranking: Ranking, question: dict[str, Any]) -> None:
    """Nobody twice, nobody from elsewhere, best first, and each item in its place or named."""
    ids, batch, order = (
        each.tolist() for each in (pool.item_ids, ranking.item_ids, ranking.pool_order)
    )
    assert len(set(batch)) == len(batch)
    assert len(set(order)) == len(order)
    assert set(batch) <= set(order) <= set(ids)
    assert not set(order) & set(pool.item_ids[pool.labelled].tolist())
    unscored = set(ranking.unscored_ids)
    assert not unscored & set(order)
    if ranking.acquisition is not None:  # else only the batch has an order
        excluded = {*map(str, question.get("exclude") or ())}
        labelled = {*pool.item_ids[pool.labelled].tolist()}
        assert {*ids} - excluded <= {*order} | unscored | labelled
        assert np.isfinite(ranking.pool_scores).all()


def test_any_pool_is_ranked_or_refused(campaign: Campaign) -> None:
    def trial(rng: random.Random) -> str:
        try:
            pool = made(drawn(rng))
            question = asked(rng, pool)
            ranking = rank(pool, **question)
        except LabelnextError as error:
            one_line(error)
            return "refused"
        check_ranking(pool, ranking, question)
        return "ranked"

    campaign.run(400, trial)


def textbook(name: str, rows: np.ndarray) -> np.ndarray:
    """How uncertain each row is, high first."""
    if name == "entropy":
        return -(rows * np.log(np.where(rows > 0, rows, 1))).sum(axis=1)
    if name == "least_confidence":
        return 1 - rows.max(axis=1)
    top = np.sort(rows, axis=1)
    return top[:, -2] - top[:, -1] if name == "margin" else -rows.var(axis=1)


def test_order_ties_and_counts_are_those_of_numpy_in_every_layout(campaign: Campaign) -> None:
    def trial(rng: random.Random) -> str:
        state = np.random.default_rng(rng.randrange(2**32))
        n, n_classes = rng.randint(1, 40), rng.randint(2, 6)
        parts = rng.choice([4, 8, 1000])
        rows = state.multinomial(parts, np.full(n_classes, 1 / n_classes), n) / parts
        ids = state.permutation(n)
        name, budget = rng.choice(PLAIN), rng.choice([None, 1, 3, n + 5])
        ranking = rank(Pool(ids, probabilities=rows), name, budget=budget)
        value = dict(zip(map(str, ids), textbook(name, rows), strict=True))
        order = ranking.pool_order.tolist()
        assert sorted(order, key=int) == [str(i) for i in range(n)]
        score = dict(zip(order, ranking.pool_scores.tolist(), strict=True))
        for one, other in pairwise(order):
            assert value[one] >= value[other] - 1e-12, (name, one, other)
            if score[one] == score[other]:
                assert int(one) < int(other), "ties go by id"
        assert ranking.item_ids.tolist() == order[:budget]
        wide = np.empty((n, 2 * n_classes))
        wide[:, ::2] = rows
        for layout in (np.asfortranarray(rows), wide[:, ::2], rows.astype(">f8"), rows.tolist()):
            again = rank(Pool(ids, probabilities=layout), name, budget=budget)
            assert again.pool_order.tolist() == order
            assert again.pool_scores.tolist() == ranking.pool_scores.tolist()
        return "ranked"

    campaign.run(120, trial)


def test_one_thread_ranks_as_two_do(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    from labelnext.support import threads

    def trial(rng: random.Random) -> str:
        state = np.random.default_rng(rng.randrange(2**32))
        n = rng.choice([3, 50, 3000])
        rows, vectors = state.dirichlet(np.ones(4), n), state.normal(size=(n, 6))
        name, method = rng.choice(PLAIN), rng.choice(SELECTIONS.own_names())

        def answer(n_threads: int) -> list[Any]:
            monkeypatch.setattr(threads, "_n_cores", lambda: n_threads)
            pool = Pool(range(n), probabilities=rows, embeddings=vectors, classes="abcd")
            options = {"n_clusters": 3} if "n_clusters" in get_selection(method).options else {}
            found = rank(pool, name, selection=method, budget=min(n, 20), seed=3, **options)
            return [found.item_ids.tolist(), found.pool_scores.tolist()]

        try:
            one = answer(1)
        except labelnext.LabelnextError:
            return "refused"
        assert answer(2) == one
        return "ranked"

    campaign.run(20, trial)


def test_a_folder_is_ranked_as_a_file(campaign: Campaign) -> None:
    def trial(rng: random.Random) -> str:
        state = np.random.default_rng(rng.randrange(2**32))
        n, n_classes = rng.randint(2, 40), rng.randint(2, 4)
        rows = state.multinomial(8, np.full(n_classes, 1 / n_classes), n) / 8
        columns: dict[str, Any] = {
            "item_id": [f"{rng.choice(['', '0', 'i'])}{i}" for i in state.permutation(n)],
            "probabilities": rows.tolist(),
        }
        if rng.random() < 0.3:
            columns["label"] = [None, *(rng.choice([None, None, "a"]) for _ in range(n - 1))]
        table = pa.table(columns)
        question = {"name": rng.choice(PLAIN)}
        with TemporaryDirectory() as place:
            folder = Path(place)
            path = spread(table, folder / "data", rng.randint(1, min(n, 4)))
            config = {**settings(folder, path), "acquisition": question}
            config["source"]["classes"] = list("abcd"[:n_classes])
            labelnext.run(config)
            pq.write_table(table, folder / "one.parquet")
            one = {**config, "write": {"output": str(folder / "one.csv")}}
            one["source"] = {**config["source"], "path": str(folder / "one.parquet")}
            labelnext.run({**one, "state": str(folder / "other")})
            lines = list(csv.DictReader(io.StringIO((folder / "one.csv").read_text("utf-8"))))
            found = written(folder / "ranking").to_pylist()
        assert [row["item_id"] for row in found] == [row["item_id"] for row in lines]
        assert [row["score"] for row in found] == [float(row["score"]) for row in lines]
        return "ranked"

    campaign.run(8, trial)
