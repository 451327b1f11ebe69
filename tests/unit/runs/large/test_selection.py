"""Batches of pools that are read in parts: limits, clusters and rounds, against the whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

import labelnext
from labelnext.errors import ConfigError, InvalidInput
from labelnext.selection.facility_location import coverage, facility_location
from labelnext.selection.k_center import covering_radius, k_center
from tests.unit.runs.large.test_job import (
    assert_same,
    classification,
    detections,
    in_memory,
    settings,
    spread,
    texts,
    written,
)

N = 3_000


def grouped() -> pa.Table:
    """Many ties, missing and labelled items; a class in ten, and groups of uneven size."""
    table = classification(texts(N))
    rng = np.random.default_rng(3)
    groups = [f"video-{int(i)}" if i else "" for i in rng.geometric(0.02, N) - 1]
    cities = rng.choice(["Oslo", "Rome", None], N, p=[0.7, 0.2, 0.1])
    table = table.append_column('a "city"', pa.array(cities))
    return table.append_column("group", pa.array(groups))


def unscored() -> str:
    """An item without a score and without a label."""
    rows = grouped().select(["item_id", "probabilities", "label"]).to_pylist()
    return next(r["item_id"] for r in rows if r["probabilities"] is None and r["label"] < 0)


LIMITS: list[dict[str, Any]] = [
    {"quota": {"0": 3, "2": 20}},
    {"quota": {"video-1": 4, "video-7": 50}, "quota_of": "group"},
    {"quota": "uniform"},
    {"quota": "input", "include": ["img-5"], "exclude": ["img-4"]},
    {"quota": "uniform", "quota_of": "group", "per_group": 3},
    {"per_group": 2},
    {"quota": {"1": 30}, "per_group": 1},
    {"quota": {"class": "input", "group": {"video-1": 4}, 'a "city"': "uniform"}, "per_group": 9},
    {"exclude": ["img-7", "img-2999", "unknown"]},
    {"include": ["img-5", "img-11"], "exclude": ["img-4"], "quota": {"2": 6}},
    {"include": [unscored(), "img-5"]},
]


@pytest.mark.parametrize("files", [1, 7])
@pytest.mark.parametrize("limits", LIMITS, ids=lambda limits: "-".join(limits))
def test_limits_hold_exactly_over_all_parts(
    tmp_path: Path, limits: dict[str, Any], files: int
) -> None:
    table = grouped()
    how: dict[str, Any] = {"selection": {"budget": 60, "options": limits}}
    how["metadata"] = ['a "city"']
    report = labelnext.run(settings(tmp_path, spread(table, tmp_path / "data", files), **how))
    whole = in_memory(tmp_path, table, **how)
    assert_same(written(tmp_path / "ranking"), whole)
    assert report.counts["batch"] == sum(whole.column("batch").to_pylist())
    unknown = [n for n in report.notices if n.code == "unknown_id"]
    assert [n.item_ids for n in unknown] == ([("unknown",)] if "exclude" in limits else [])[
        : "unknown" in limits.get("exclude", ())
    ]


@pytest.mark.parametrize("quota", ["uniform", "input", {"1": 30}])
def test_images_without_objects_have_no_class_in_any_part(tmp_path: Path, quota: Any) -> None:
    table = detections(texts(400))
    found = [
        row and [{"confidence": one["confidence"], "class": n % 3} for n, one in enumerate(row)]
        for row in table.column("objects").to_pylist()
    ]
    table = pa.table({"item_id": table.column("item_id"), "objects": found})
    how = {
        "acquisition": {"name": "least_confidence", "of": "objects"},
        "selection": {"budget": 60, "options": {"quota": quota}},
    }
    labelnext.run(settings(tmp_path, spread(table, tmp_path / "data", 5), **how))
    assert_same(written(tmp_path / "ranking"), in_memory(tmp_path, table, **how))


@pytest.mark.parametrize("files", [1, 7])
@pytest.mark.parametrize("law", ["rank", "power", "softmax"])
def test_chance_falls_on_the_items_as_in_memory(tmp_path: Path, law: str, files: int) -> None:
    table = classification(texts(N))
    options = {"law": law, "beta": 0.5, "exclude": ["img-7"]}
    how = {"selection": {"method": "stochastic", "budget": 60, "seed": 3, "options": options}}
    labelnext.run(settings(tmp_path, spread(table, tmp_path / "data", files), **how))
    assert_same(written(tmp_path / "ranking"), in_memory(tmp_path, table, **how))


@pytest.mark.parametrize("no_objects", ["first", "last"])
def test_chance_leaves_items_without_objects_at_their_end(tmp_path: Path, no_objects: str) -> None:
    table = detections(texts(400))
    how = {
        "acquisition": {"name": "entropy", "of": "objects", "no_objects": no_objects},
        "selection": {"method": "stochastic", "budget": 200},
    }
    labelnext.run(settings(tmp_path, spread(table, tmp_path / "data", 5), **how))
    assert_same(written(tmp_path / "ranking"), in_memory(tmp_path, table, **how))


def test_a_quota_that_is_not_reached_is_said_so(tmp_path: Path) -> None:
    path = spread(grouped(), tmp_path / "data", 7)
    how = {"budget": 60, "options": {"quota": {"video-90": 50}, "quota_of": "group"}}
    report = labelnext.run(settings(tmp_path, path, selection=how))
    groups = dict(
        zip(*(grouped().column(c).to_pylist() for c in ("item_id", "group")), strict=True)
    )
    held = [groups[i] for i in report.ranking.item_ids].count("video-90")
    (notice,) = [n for n in report.notices if n.code == "quota"]
    assert f"video-90 {held} of 50" in notice.message


def test_a_quota_of_an_unknown_class_is_refused_before_anything_begins(tmp_path: Path) -> None:
    path = spread(grouped(), tmp_path / "data", 2)
    source = {"adapter": "files", "path": str(path), "classes": ["a", "b", "c"]}
    table = grouped().drop_columns(["label"])
    path = spread(table, tmp_path / "unlabelled", 2)
    source["path"] = str(path)
    how = {"budget": 60, "options": {"quota": {"z": 5}}}
    with pytest.raises(InvalidInput, match="quota must name classes of the pool"):
        labelnext.run(settings(tmp_path, path, source=source, selection=how))
    assert not (tmp_path / "ranking").exists()


def embedded(kind: str = "clustered", n: int = N, dimensions: int = 8) -> pa.Table:
    """Classified items with vectors; a few vectors are not finite."""
    table = classification(texts(n))
    rows: list[Any] = vectors(kind, n, dimensions).tolist()
    rows[17][0] = float("nan")
    return table.append_column("embedding", pa.array(rows, pa.list_(pa.float64())))


def vectors(kind: str, n: int, dimensions: int) -> NDArray[np.float64]:
    rng = np.random.default_rng(5)
    if kind == "random":
        return rng.normal(size=(n, dimensions))
    centres = rng.normal(size=(20, dimensions)) * 6
    points = centres[rng.integers(0, 20, n)] + rng.normal(size=(n, dimensions))
    if kind == "outliers":
        points[: n // 100] *= 10
    return points


@pytest.mark.parametrize("files", [1, 7, 64])
@pytest.mark.parametrize("name", ["entropy", None])
@pytest.mark.parametrize(
    "selection",
    [
        {"method": "image_diversity", "budget": 50},
        {"method": "image_diversity", "budget": 40, "options": {"distance": "cosine"}},
        {"method": "typiclust", "budget": 70},
    ],
    ids=lambda how: "-".join([how["method"], *how.get("options", {})]),
)
def test_clusters_of_a_sample_that_is_the_pool_give_the_batch_of_the_whole(
    tmp_path: Path, selection: dict[str, Any], name: str | None, files: int
) -> None:
    table = embedded()  # with items that have no score, and are not in the sample either
    how = {"selection": selection, "acquisition": {"name": name}}
    report = labelnext.run(settings(tmp_path, spread(table, tmp_path / "data", files), **how))
    whole = in_memory(tmp_path, table, **how)
    assert_same(written(tmp_path / "ranking"), whole)
    assert any("learnt its centres from a sample of" in n.message for n in report.notices)


@pytest.mark.parametrize("method", ["k_center", "facility_location", "uncertainty_herding"])
def test_rounds_in_one_part_give_the_batch_of_the_whole(tmp_path: Path, method: str) -> None:
    table = embedded()
    how = {"selection": {"method": method, "budget": 30}}
    path = tmp_path / "data"
    spread(table, path, 1)
    import pyarrow.parquet as pq

    pq.write_table(pq.read_table(path / "000.parquet"), path / "000.parquet")  # one row group
    labelnext.run(settings(tmp_path, path, **how))
    assert_same(written(tmp_path / "ranking"), in_memory(tmp_path, table, **how))


@pytest.mark.parametrize("kind", ["clustered", "random", "outliers"])
@pytest.mark.parametrize("method", ["k_center", "facility_location", "uncertainty_herding"])
def test_two_rounds_come_close_to_one(tmp_path: Path, method: str, kind: str) -> None:
    table = embedded(kind)
    path = tmp_path / "data"
    path.mkdir()
    import pyarrow.parquet as pq

    for number in range(8):  # not shuffled: the outliers are all in the first part
        pq.write_table(table.slice(number * N // 8, N // 8), path / f"{number}.parquet")
    report = labelnext.run(settings(tmp_path, path, selection={"method": method, "budget": 40}))
    names = table.column("item_id").to_pylist()
    points = vectors(kind, N, 8)
    labelled = np.array([v >= 0 for v in table.column("label").to_pylist()])
    usable = ~labelled
    usable[17] = False
    for missing in ("probabilities",):
        rows = table.column(missing).to_pylist()
        usable &= np.array([r is not None and r[0] == r[0] for r in rows])
    candidates, given = points[usable], points[labelled]
    twice = points[[names.index(i) for i in report.ranking.item_ids]]
    assert len(twice) == 40
    if method == "k_center":
        once = candidates[k_center(candidates, given, 40)]
        radii = [covering_radius(candidates, np.concatenate([given, c])) for c in (twice, once)]
        assert radii[0] <= 1.15 * radii[1]
    elif method == "uncertainty_herding":
        whole = in_memory(tmp_path, table, selection={"method": method, "budget": 40})
        batch = [row["item_id"] for row in whole.to_pylist() if row["batch"]]
        once = points[[names.index(i) for i in batch]]
        covers = [coverage(candidates, np.concatenate([given, c])) for c in (twice, once)]
        assert covers[0] >= 0.97 * covers[1]
    else:
        once = candidates[facility_location(candidates, given, 40)]
        covers = [coverage(candidates, np.concatenate([given, c])) for c in (twice, once)]
        assert covers[0] >= 0.97 * covers[1]
    (notice,) = [n for n in report.notices if n.code == "rounds"]
    assert "times that of a single round" in notice.message


@pytest.mark.parametrize(("n_labels", "method"), [(5, "typiclust"), (6, "uncertainty_herding")])
def test_auto_counts_the_labels_of_all_parts(tmp_path: Path, n_labels: int, method: str) -> None:
    table = embedded(n=600).drop_columns(["label"])
    given = set(range(100, 600, 500 // n_labels)[:n_labels])  # three classes need six
    labels = [n % 3 if n in given else -1 for n in range(600)]
    table = table.append_column("label", pa.array(labels))
    path = spread(table, tmp_path / "data", 6)
    how = {"selection": {"method": "auto", "budget": 20}}
    dry = labelnext.run(settings(tmp_path, path, **how), dry_run=True)
    report = labelnext.run(settings(tmp_path, path, **how))
    options = {"width": "pool"} if method == "uncertainty_herding" else {}
    chosen = {"method": method, "budget": 20, "options": options}
    named = settings(tmp_path, path, selection=chosen)
    assert report.ranking.item_ids.tolist() == labelnext.run(named).ranking.item_ids.tolist()
    assert dry.recipe["selection"] == report.recipe["selection"] == method
    assert report.recipe["reasons"]["selection"].startswith(f"auto chose {method}: the pool has")


@pytest.mark.parametrize(("n_labels", "method"), [(19, "typiclust"), (20, "uncertainty_herding")])
def test_classes_that_no_part_has_labelled_hold_auto_up_until_20_labels(
    tmp_path: Path, n_labels: int, method: str
) -> None:
    table = embedded(n=600).drop_columns(["label", "probabilities"])
    rows = np.append(np.random.default_rng(0).dirichlet([1, 1, 1], 600), np.zeros((600, 12)), 1)
    given = set(range(100, 600, 25)[:n_labels])  # three of fifteen classes are labelled
    labels = [n % 3 if n in given else -1 for n in range(600)]
    table = table.append_column("probabilities", pa.array(rows.tolist()))
    table = table.append_column("label", pa.array(labels))
    how = {"selection": {"method": "auto", "budget": 20}}
    for files in (1, 6):
        path = spread(table, tmp_path / str(files), files)
        report = labelnext.run(settings(tmp_path, path, **how))
        assert report.recipe["selection"] == method


@pytest.mark.parametrize("files", [1, 6])
@pytest.mark.parametrize("method", ["k_center", "facility_location", "uncertainty_herding"])
@pytest.mark.parametrize("options", [{"min_distance": 4.0}, {"dedupe": 0.99}], ids=str)
def test_no_picks_of_different_parts_are_near_duplicates(
    tmp_path: Path, method: str, options: dict[str, Any], files: int
) -> None:
    table = embedded(n=600)
    how = {"selection": {"method": method, "budget": 40, "options": options}}
    report = labelnext.run(settings(tmp_path, spread(table, tmp_path / "data", files), **how))
    names = table.column("item_id").to_pylist()
    points = vectors("clustered", 600, 8)
    given = np.array([v >= 0 for v in table.column("label").to_pylist()])
    batch = points[[names.index(i) for i in report.ranking.item_ids]]
    assert len(batch) > 5
    others = np.concatenate([batch, points[given]])
    if "dedupe" in options:
        lengths = np.linalg.norm(batch, axis=1)[:, None] * np.linalg.norm(others, axis=1)
        near = batch @ others.T >= options["dedupe"] * lengths
    else:
        near = np.linalg.norm(batch[:, None] - others, axis=2) < options["min_distance"]
    assert near.sum() == len(batch)  # each is close to itself alone
    (notice,) = [n for n in report.notices if n.code == "near_duplicates"]
    assert f"the batch of {len(batch)} items" in notice.message


def test_broken_files_have_no_part_in_a_batch_of_rounds(tmp_path: Path) -> None:
    path = spread(embedded(), tmp_path / "data", 4)
    content = (path / "002.parquet").read_bytes()
    (path / "002.parquet").write_bytes(content[: len(content) // 2])
    source = {"adapter": "files", "path": str(path), "broken": "skip"}
    how = {"selection": {"method": "k_center", "budget": 30}, "source": source}
    report = labelnext.run(settings(tmp_path, path, **how))
    assert report.counts["batch"] == 30
    assert [n.code for n in report.notices if n.code == "broken_parts"] == ["broken_parts"]


def test_clusters_for_classes_that_one_part_happens_to_hold_are_refused(tmp_path: Path) -> None:
    table = embedded(n=40).drop_columns(["probabilities", "label"])
    table = table.append_column("label", pa.array(["a", None] * 20))
    path = spread(table, tmp_path / "data", 2)
    how = {"method": "image_diversity", "budget": 4}
    none: dict[str, Any] = {"acquisition": {"name": None}}
    with pytest.raises(ConfigError, match="name the classes for image_diversity"):
        labelnext.run(settings(tmp_path, path, selection=how, **none))
    how["options"] = {"n_clusters": 2}
    assert len(labelnext.run(settings(tmp_path, path, selection=how, **none)).ranking) == 4


def test_a_pool_without_embeddings_is_refused(tmp_path: Path) -> None:
    path = spread(classification(texts(100)), tmp_path / "data", 2)
    how = {"method": "image_diversity", "options": {"space": "embeddings"}}
    with pytest.raises(InvalidInput, match="image_diversity needs embeddings"):
        labelnext.run(settings(tmp_path, path, selection=how))


def test_a_pool_without_embeddings_goes_by_probabilities_as_in_memory(tmp_path: Path) -> None:
    table = classification(texts(600))
    how = {"selection": {"method": "image_diversity", "budget": 20}}
    report = labelnext.run(settings(tmp_path, spread(table, tmp_path / "data", 5), **how))
    assert_same(written(tmp_path / "ranking"), in_memory(tmp_path, table, **how))
    assert "The pool has no embeddings, so image_diversity went by class probabilities." in [
        notice.message for notice in report.notices
    ]


@pytest.mark.parametrize(
    ("selection", "rule"),
    [
        ({"method": "k_center", "budget": None}, "selection.budget must be given"),
        ({"method": "k_center", "options": {"standardise": True}}, "standardise must be false"),
        ({"method": "k_center", "options": {"projection": "pca"}}, "must be random or left out"),
        ({"method": "k_center", "options": {"include": ["img-1"]}}, "must be top_k with quota"),
        ({"options": {"budget_in": "cost"}}, "budget_in must be items"),
        (
            {"method": "uncertainty_herding", "options": {"doubt": "embeddings"}},
            "selection.options.doubt must be utility",
        ),
        ({"options": {"dedupe": 0.9}}, "facility_location, uncertainty_herding with min_distance"),
        (
            {"method": "k_center", "options": {"dedupe": 0.9, "projection": "random"}},
            "projection must be left out with min_distance or dedupe",
        ),
        (
            {"method": "k_center", "options": {"min_distance": 1.0, "distance": "cosine"}},
            "distance must be euclidean with min_distance",
        ),
        (
            {"method": "k_center", "options": {"dedupe": 0.9, "space": "probabilities"}},
            "space must be embeddings with min_distance or dedupe",
        ),
        ({"budget": None, "options": {"per_group": 2}}, "selection.budget must be given"),
        (
            {"method": "k_center", "options": {"dedupe": 0.9, "dedupe_by": "images"}},
            "dedupe_by must be embeddings or left out",
        ),
        ({"options": {"groups_as_items": "mean"}}, "groups_as_items must be left out"),
    ],
)
def test_choices_that_need_the_whole_pool_are_refused(
    tmp_path: Path, selection: dict[str, Any], rule: str
) -> None:
    path = spread(embedded(n=100), tmp_path / "data", 2)
    with pytest.raises(ConfigError, match=rule):
        labelnext.run(settings(tmp_path, path, selection=selection))


@pytest.mark.parametrize(
    ("include", "message"),
    [
        (["d", "a"], "include must not be labelled; got d."),  # in the last part
        (["a", "z"], "include must be in the pool; got z."),
    ],
)
def test_what_can_not_come_first_is_said_before_anything_is_scored(
    tmp_path: Path, include: list[str], message: str
) -> None:
    rows = [[0.6, 0.4], [0.9, 0.1], [0.5, 0.5], [0.7, 0.3]]
    labels = [-1, -1, -1, 1]
    table = pa.table({"item_id": [*"abcd"], "probabilities": rows, "label": labels})
    path = spread(table, tmp_path / "data", 4)
    choice = {"budget": 2, "options": {"include": include}}
    with pytest.raises(InvalidInput) as caught:
        labelnext.run(settings(tmp_path, path, selection=choice))
    assert caught.value.message == message
    assert "resume" not in str(caught.value.hint)
    assert not (tmp_path / "ranking").exists()
