"""A row for each vote: the share of votes that each class has ranks the items."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from labelnext.errors import InvalidInput
from labelnext.pool import Pool
from tests.unit.files.reading import notice, order, read

#: Item, who, and class: a is split three ways, b by one of three, c is agreed on.
SAID = [
    ("a", "x", "cat"), ("a", "y", "dog"), ("a", "z", "cow"),
    ("b", "x", "cat"), ("b", "y", "cat"), ("b", "z", "dog"),
    ("c", "x", "dog"), ("c", "y", "dog"), ("c", "z", "dog"),
]  # fmt: skip
VOTES: dict[str, Counter[str]] = {}
for _item, _, _kind in SAID:
    VOTES.setdefault(_item, Counter())[_kind] += 1


def table(head: str, said: Sequence[tuple[str, ...]] = SAID) -> str:
    return "\n".join([head, *(",".join(one) for one in said)]) + "\n"


def check_shares(pool: Pool) -> None:
    rows = dict(zip(pool.item_ids.tolist(), pool.mean_probabilities.tolist(), strict=True))
    for item, votes in VOTES.items():
        shares = [votes[name] / 3 for name in sorted({kind for _, _, kind in SAID})]
        assert rows[item] == pytest.approx(shares)
    assert order(pool) == ["a", "b", "c"]


@pytest.mark.parametrize("item", ["item", "id", "task_id", "image", "task", "HITId", "item_id"])
@pytest.mark.parametrize("who", ["annotator", "WorkerId", "user", "labeler", "rater", "email"])
@pytest.mark.parametrize("said", ["label", "annotation", "answer", "category", "Answer.kind"])
def test_votes_rank_by_their_shares(tmp_path: Path, item: str, who: str, said: str) -> None:
    check_shares(read(tmp_path, "t.csv", table(f"{item},{who},{said}")))


def test_votes_need_no_name_of_who_voted(tmp_path: Path) -> None:
    bare = [(item, kind) for item, _, kind in SAID]
    check_shares(read(tmp_path, "t.csv", table("id,label", bare)))


def test_votes_rank_in_every_format(tmp_path: Path) -> None:
    frame = pd.DataFrame(SAID, columns=["item", "worker", "label"])
    check_shares(Pool.from_pandas(frame))
    frame.to_parquet(tmp_path / "t.parquet")
    check_shares(read(tmp_path, "t.parquet"))
    check_shares(read(tmp_path, "t.json", json.loads(frame.to_json(orient="records"))))
    check_shares(read(tmp_path, "t.jsonl", frame.to_json(orient="records", lines=True)))


def test_numbers_as_votes_are_names_of_classes(tmp_path: Path) -> None:
    numbered = [(item, who, {"cat": "0", "dog": "1", "cow": "2"}[kind]) for item, who, kind in SAID]
    pool = read(tmp_path, "t.csv", table("id,worker,label", numbered))
    assert (list(pool.classes or ()), order(pool)) == (["0", "1", "2"], ["a", "b", "c"])
    named = read(tmp_path, "t.csv", classes=["cat", "dog", "cow"])
    assert (list(named.classes or ()), order(named)) == (["cat", "dog", "cow"], ["a", "b", "c"])


def test_an_item_with_one_vote_has_no_score(tmp_path: Path) -> None:
    pool = read(tmp_path, "t.csv", table("id,worker,label", [*SAID, ("d", "x", "cat")]))
    assert order(pool) == ["a", "b", "c"]
    assert notice(pool, "one_vote").message.startswith("1 item with fewer than two votes")
    alone = table("id,worker,label", [("a", "x", "cat"), ("a", "y", ""), ("b", "y", "dog")])
    with pytest.raises(InvalidInput, match="an item must have several votes in 'label'"):
        read(tmp_path, "t.csv", alone)


def test_few_items_with_several_votes_still_rank(tmp_path: Path) -> None:
    said = [(str(n), "x", "cat") for n in range(100)] + [("7", "y", "dog"), ("8", "y", "cat")]
    assert order(read(tmp_path, "t.csv", table("id,worker,label", said))) == ["7", "8"]


def test_an_empty_vote_counts_for_nothing(tmp_path: Path) -> None:
    said = [*SAID, ("b", "w", ""), ("c", "w", " ")]
    check_shares(read(tmp_path, "t.csv", table("id,worker,label", said)))


def test_rows_of_scores_or_embeddings_are_no_votes(tmp_path: Path) -> None:
    for more in ("cat,dog", "e_0,e_1"):
        rows = [("a", "x", "cat", "0.9", "0.1"), ("a", "y", "dog", "0.5", "0.5")]
        with pytest.raises(InvalidInput, match="id must be distinct"):
            read(tmp_path, "t.csv", table(f"id,worker,label,{more}", rows))


def test_rows_that_differ_in_more_than_the_class_are_no_votes(tmp_path: Path) -> None:
    rows = [("a", "cat", "3.5"), ("a", "dog", "4.5"), ("b", "cat", "1.5"), ("b", "cat", "2.5")]
    with pytest.raises(InvalidInput, match="id must be distinct"):
        read(tmp_path, "t.csv", table("id,label,length", rows))
    assert order(read(tmp_path, "t.csv", table("id,label,timestamp", rows))) == ["a", "b"]


def test_an_id_of_several_texts_is_no_item_of_votes(tmp_path: Path) -> None:
    rows = [("a", "one", "cat"), ("a", "two", "dog"), ("b", "three", "dog")]
    with pytest.raises(InvalidInput, match="'id' repeats with several values of text"):
        read(tmp_path, "t.csv", table("id,text,label", rows))


def test_a_crowd_of_many_people_is_read_as_votes(tmp_path: Path) -> None:
    said = [(item, f"{who}{n}", kind) for item, who, kind in SAID for n in range(8)]
    pool = read(tmp_path, "t.csv", table("id,annotator,label", said))
    assert len(pool.members) == 1
    check_shares(pool)


def test_ratings_of_judges_in_csv_are_ranked_by_their_spread(tmp_path: Path) -> None:
    rows = [("a", "x", "3"), ("a", "y", "3"), ("b", "x", "1"), ("b", "y", "5")]
    assert order(read(tmp_path, "t.csv", table("id,rater,rating", rows))) == ["b", "a"]


def test_names_without_a_sign_between_words_are_known(tmp_path: Path) -> None:
    rows = [("a", "cat"), ("a", "cat"), ("b", "cat"), ("b", "dog")]
    lines = [f"{item},w{n},{said}" for n, (item, said) in enumerate(rows)]
    pool = read(tmp_path, "v.csv", "\n".join(["taskid,workerid,response", *lines]))
    assert pool.item_ids.tolist() == ["a", "b"]
    assert pool.mean_probabilities.tolist() == [[1, 0], [0.5, 0.5]]
