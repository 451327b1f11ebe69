"""A dataset that another process changes while this one holds it."""

from __future__ import annotations

from typing import Any

import pytest

from labelnext_adapters.fiftyone.database.halves import refresh
from tests.integration.fiftyone_runs import fill

pytest_plugins = ("tests.integration.mongod",)


@pytest.fixture
def filled(dataset: Any) -> Any:
    """Five samples, a saved view and a run of another plugin."""
    return fill(dataset)


def test_a_dataset_is_read_anew_only_where_another_process_changed_it(filled: Any) -> None:
    import fiftyone.core.odm as foo

    filled.info["mine"] = "not saved yet"
    refresh(filled)
    assert filled.info == {"mine": "not saved yet"}
    name = {"$set": {"sample_fields.$[field].name": "other"}}
    field = {"array_filters": [{"field.name": "name"}]}
    foo.get_db_conn().datasets.update_one({"_id": filled._doc.id}, name, **field)
    assert filled.has_sample_field("name")
    refresh(filled)
    assert not filled.has_sample_field("name")
    assert filled.has_sample_field("other")


def _read_anew(dataset: Any) -> bool:
    known = dataset._doc
    refresh(dataset)
    return dataset._doc is not known


@pytest.mark.parametrize(
    "what", ["attribute", "classes", "view", "run", "order of a view", "no stages"]
)
def test_a_dataset_is_read_anew_where_another_process_changed(filled: Any, what: str) -> None:
    """FiftyOne's own object of the dataset stays as it is; the database changes beside it."""
    import fiftyone.core.odm as foo

    assert not _read_anew(filled)
    database, query = foo.get_db_conn(), {"_id": filled._doc.id}
    (view,), run = filled._doc.saved_views, filled._doc.runs["other"]
    if what == "attribute":
        fields = database.datasets.find_one(query)["sample_fields"]
        (pred,) = [field for field in fields if field["name"] == "pred"]
        pred["fields"].append({**pred["fields"][-1], "name": "further", "db_field": "further"})
        database.datasets.update_one(query, {"$set": {"sample_fields": fields}})
    elif what == "classes":
        database.datasets.update_one(query, {"$set": {"classes.pred": ["a", "b"]}})
    elif what == "run":
        changed = {"$set": {"config.method": "another"}}
        database.runs.update_one({"_id": run.id}, changed)
    elif what == "view":
        database.views.update_one({"_id": view.id}, {"$set": {"description": "theirs"}})
    elif what == "order of a view":
        database.views.update_one({"_id": view.id}, {"$set": {"view_stages": []}})
    else:  # an empty list may not be stored at all
        database.views.update_one({"_id": view.id}, {"$unset": {"view_stages": True}})
    assert _read_anew(filled)
    seen = {
        "attribute": lambda: filled.get_field("pred.further") is not None,
        "classes": lambda: filled.classes == {"pred": ["a", "b"]},
        "run": lambda: filled.get_run_info("other").config.method == "another",
        "view": lambda: filled.get_saved_view_info("mine")["description"] == "theirs",
        "order of a view": lambda: len(filled.load_saved_view("mine")) == 5,
        "no stages": lambda: len(filled.load_saved_view("mine")) == 5,
    }
    assert seen[what]()
    assert not _read_anew(filled)


def test_classes_that_are_not_saved_yet_stay(filled: Any) -> None:
    filled.default_classes.append("mine")
    assert not _read_anew(filled)
    assert filled.default_classes == ["no", "yes", "mine"]


def test_nan_in_a_run_is_no_change(filled: Any) -> None:
    import fiftyone.core.odm as foo

    run, database = filled._doc.runs["other"], foo.get_db_conn()
    odd = {"floor": float("nan"), "rows": [[float("nan"), 1.0], {"least": float("nan")}]}
    database.runs.update_one({"_id": run.id}, {"$set": {"config.options": odd}})
    assert _read_anew(filled)
    assert not _read_anew(filled)
    database.runs.update_one({"_id": run.id}, {"$set": {"config.options.rows.1.least": 0.5}})
    assert _read_anew(filled)
