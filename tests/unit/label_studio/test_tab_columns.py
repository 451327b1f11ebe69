"""The columns of a new tab."""

from __future__ import annotations

from typing import Any

import pytest

from labelnext_adapters.label_studio.server.tab_columns import tab_columns


class Server:
    """Answers with the columns of a project."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def get_json(self, path: str, **params: Any) -> Any:
        assert (path, params) == ("api/dm/columns/", {"project": 7})
        return self.answer


def project(*keys: str) -> Server:
    of_data = [{"id": key, "parent": "data"} for key in keys]
    names = ("id", "inner_id", "total_annotations", "annotators", "predictions_score")
    others: list[dict[str, Any]] = [{"id": name, "parent": None} for name in names]
    return Server({"columns": [*of_data, *others, {"id": "data", "children": list(keys)}]})


def test_media_and_priority_are_shown_and_the_rest_is_hidden() -> None:
    server = project("image", "camera", "labelnext_priority", "labelnext_batch")
    made = tab_columns(server, 7, ["image"])  # type: ignore[arg-type]
    hidden = ["tasks:data.camera", "tasks:data.labelnext_batch", "tasks:inner_id"]
    assert made["hiddenColumns"]["explore"] == hidden
    assert set(made["columnsWidth"]) == {
        "tasks:data.image",
        "tasks:data.labelnext_priority",
        "tasks:id",
        "tasks:total_annotations",
        "tasks:annotators",
        "tasks:predictions_score",
    }


def test_why_a_task_is_next_is_shown_where_it_is_asked_for() -> None:
    keys = ("image", "labelnext_priority", "labelnext_why", "labelnext_review_why")
    shown = tab_columns(project(*keys), 7, ["image"], why=True)  # type: ignore[arg-type]
    assert shown["hiddenColumns"]["explore"] == ["tasks:inner_id"]
    assert shown["columnsWidth"]["tasks:data.labelnext_why"] == 320
    assert shown["columnsWidth"]["tasks:data.image"] == 180  # so that the reason is on the screen
    without = tab_columns(project(*keys), 7, ["image"])  # type: ignore[arg-type]
    assert without["hiddenColumns"]["explore"][:2] == [
        "tasks:data.labelnext_why",
        "tasks:data.labelnext_review_why",
    ]


def test_without_known_media_all_data_is_shown() -> None:
    made = tab_columns(project("sound", "labelnext_review_batch"), 7, [])  # type: ignore[arg-type]
    assert made["hiddenColumns"]["explore"] == [
        "tasks:data.labelnext_review_batch",
        "tasks:inner_id",
    ]


@pytest.mark.parametrize("answer", [[], {}, {"columns": None}, None])
def test_odd_answer_leaves_the_columns_alone(answer: Any) -> None:
    assert tab_columns(Server(answer), 7, ["image"]) == {}  # type: ignore[arg-type]
