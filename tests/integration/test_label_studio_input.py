"""Label Studio, on a real server: tokens, wrong settings and predictions of every kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest

from labelnext.errors import AccessDenied, ConfigError, InvalidInput, NotFound, Unavailable
from labelnext.pipeline import run
from labelnext.pool import Pool
from labelnext.ranking import rank

if TYPE_CHECKING:  # pytest itself imports the plugin, and wants to be the first
    from tests.integration.label_studio_server import LabelStudio, Open

pytest_plugins = ("tests.integration.label_studio_server",)

# label-studio-sdk 2.1 exchanges a Personal Access Token by a call that pydantic has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:The `parse_obj` method is deprecated")

CHOICES = (
    '<View><Text name="text" value="$text"/><Choices name="kind" toName="text"{more}>'
    '<Choice value="good"/><Choice value="bad"/><Choice value="odd"/></Choices></View>'
)
TWO_TAGS = (
    '<View><Image name="image" value="$image"/><RectangleLabels name="box" toName="image">'
    '<Label value="car"/><Label value="bus"/></RectangleLabels>'
    '<Choices name="kind" toName="image"><Choice value="day"/><Choice value="night"/></Choices>'
    "</View>"
)

Json = dict[str, Any]


def choice(label: str, *, score: float | None = None, **value: Any) -> Json:
    region: Json = {"from_name": "kind", "to_name": "text", "type": "choices"}
    region["value"] = {"choices": [label], **value}
    return region if score is None else {**region, "score": score}


def text_task(*results: list[Json], version: str = "m1", score: float | None = None) -> Json:
    predictions = [{"model_version": version, "result": r, "score": score} for r in results]
    return {"data": {"text": "some text"}, "predictions": predictions}


def box(label: str | None = "car", **more: Any) -> Json:
    value = {"x": 10, "y": 20, "width": 30, "height": 40, "rotation": more.pop("rotation", 0)}
    labels = {} if label is None else {"rectanglelabels": [label]}
    return {
        "from_name": "box",
        "to_name": "image",
        "type": "rectanglelabels",
        "value": {**value, **labels, **more.pop("value", {})},
        **more,
    }


def image_task(*regions: Json, score: float | None = None, version: str = "m1") -> Json:
    prediction = {"model_version": version, "result": list(regions), "score": score}
    return {"data": {"image": "http://localhost/a.jpg"}, "predictions": [prediction]}


def codes(pool: Pool) -> list[str]:
    return [notice.code for notice in pool.notices]


# ---- the connection


def test_a_server_that_is_not_there_is_unavailable(connect: Open) -> None:
    with pytest.raises(Unavailable, match="cannot be reached"):
        connect(1, url="http://127.0.0.1:9").read()


def test_a_url_with_a_path_is_explained(label_studio: LabelStudio, connect: Open) -> None:
    project = label_studio.create_project(CHOICES.format(more=""))
    adapter = connect(project, url=f"{label_studio.url}/projects/{project}")
    with pytest.raises(NotFound) as caught:
        adapter.read()
    assert "address of the server alone" in str(caught.value)


def test_a_wrong_token_is_denied_and_never_shown(connect: Open) -> None:
    wrong = "0123456789abcdef0123456789abcdef01234567"
    adapter = connect(1, api_key=wrong)
    with pytest.raises(AccessDenied, match="copy the token anew") as caught:
        adapter.read()
    findings = adapter.check()
    assert findings[-1].level == "error"
    assert wrong not in str(caught.value) + repr(findings) + repr(adapter.__dict__)


@pytest.mark.parametrize("key", ["", "two words", "line\nend", "tökén"])
def test_a_key_that_is_no_token_is_refused_without_showing_it(connect: Open, key: str) -> None:
    with pytest.raises(ConfigError, match="api_key") as caught:
        connect(1, api_key=key)
    assert not key or key not in str(caught.value)


@pytest.mark.parametrize("url", ["localhost:8080", "ftp://host", "http://", "http://a:b@host"])
def test_a_url_that_is_no_address_is_refused(connect: Open, url: str) -> None:
    with pytest.raises(ConfigError, match="url"):
        connect(1, url=url)


def test_a_missing_bundle_of_certificates_is_named(connect: Open) -> None:
    with pytest.raises(ConfigError, match="ca_bundle must be a file"):
        connect(1, ca_bundle="nowhere.pem").read()


@pytest.fixture(scope="module")
def personal_token(label_studio: LabelStudio) -> str:
    """A Personal Access Token; a user has only one."""
    return str(label_studio.api("POST", "/api/token/")["token"])


def access_token(label_studio: LabelStudio, personal_token: str) -> str:
    answer = label_studio.api("POST", "/api/token/refresh/", {"refresh": personal_token})
    return str(answer["access"])


def test_a_personal_access_token_works(
    label_studio: LabelStudio, connect: Open, personal_token: str
) -> None:
    project = label_studio.create_project(
        CHOICES.format(more=""), [text_task([choice("good", probs=[0.5, 0.3, 0.2])])]
    )
    adapter = connect(project, api_key=personal_token)
    assert all(f.level == "ok" for f in adapter.check())
    np.testing.assert_array_equal(adapter.read().probabilities, [[0.5, 0.3, 0.2]])


def test_an_access_token_is_explained(
    label_studio: LabelStudio, connect: Open, personal_token: str
) -> None:
    token = access_token(label_studio, personal_token)
    with pytest.raises(AccessDenied, match="give the Personal Access Token") as caught:
        connect(1, api_key=token).read()
    assert token not in str(caught.value)


def test_a_personal_token_with_another_signature_is_denied(
    connect: Open, personal_token: str
) -> None:
    forged = personal_token[:-6] + "abcdef"
    with pytest.raises(AccessDenied) as caught:
        connect(1, api_key=forged).read()
    assert forged not in str(caught.value)


def test_a_legacy_token_that_the_organization_forbids_is_explained(
    label_studio: LabelStudio, connect: Open, personal_token: str
) -> None:
    bearer = {"Authorization": f"Bearer {access_token(label_studio, personal_token)}"}

    def allow(legacy: bool) -> None:
        body = {"legacy_api_tokens_enabled": legacy, "api_tokens_enabled": True}
        url = f"{label_studio.url}/api/jwt/settings"
        assert httpx.post(url, json=body, headers=bearer, timeout=60).is_success

    allow(False)
    try:
        with pytest.raises(AccessDenied, match="use a Personal Access Token"):
            connect(1).read()
    finally:
        allow(True)


# ---- the project


def test_a_missing_project_is_named(connect: Open) -> None:
    with pytest.raises(NotFound, match=r"project must be the number of a project.*got 99999"):
        connect(99999).read()


def test_an_empty_project_is_an_empty_pool_with_its_classes(
    label_studio: LabelStudio, connect: Open
) -> None:
    project = label_studio.create_project(CHOICES.format(more=""))
    adapter = connect(project)
    pool = adapter.read()
    assert len(pool) == 0
    assert pool.classes == ("good", "bad", "odd")
    assert codes(pool) == ["no_predictions"]
    assert "error" not in [f.level for f in adapter.check()]


def test_a_project_without_predictions_is_all_missing(
    label_studio: LabelStudio, connect: Open
) -> None:
    tasks = [{"data": {"text": "a"}}, {"data": {"text": "b"}}]
    project = label_studio.create_project(CHOICES.format(more=""), tasks)
    adapter = connect(project)
    pool = adapter.read()
    assert pool.missing.tolist() == [True, True]
    assert codes(pool) == ["no_predictions"]
    with pytest.raises(InvalidInput, match="needs class probabilities"):
        rank(pool, "margin")
    assert "The project has no predictions." in [f.message for f in adapter.check()]


def test_one_task_is_a_pool(label_studio: LabelStudio, connect: Open) -> None:
    project = label_studio.create_project(
        CHOICES.format(more=""), [text_task([choice("good", probs=[0.5, 0.25, 0.25])])]
    )
    pool = connect(project).read()
    assert pool.item_ids.tolist() == [str(t) for t in label_studio.task_ids(project)]
    assert rank(pool, "margin").scores.tolist() == [0.25]


def test_several_control_tags_need_a_name(label_studio: LabelStudio, connect: Open) -> None:
    project = label_studio.create_project(TWO_TAGS, [image_task(box(score=0.5))])
    with pytest.raises(InvalidInput, match=r"box \(RectangleLabels\), kind \(Choices\)"):
        connect(project).read()
    with pytest.raises(NotFound, match="from_name must be a control tag"):
        connect(project, from_name="image").read()
    assert connect(project, from_name="box").read().classes == ("car", "bus")
    other = connect(project, from_name="kind").read()
    assert other.missing.tolist() == [True]
    assert codes(other) == ["other_control"]


def test_a_setup_that_cannot_be_read_is_named(label_studio: LabelStudio, connect: Open) -> None:
    config = '<View><Text name="text" value="$text"/><Shortcut name="say" value="x"/></View>'
    with pytest.raises(NotFound, match="the labelling setup must have a control tag"):
        connect(label_studio.create_project(config)).read()


def test_aliases_are_the_names_of_classes(label_studio: LabelStudio, connect: Open) -> None:
    config = TWO_TAGS.replace('value="bus"', 'value="bus" alias="big"')
    project = label_studio.create_project(config, [image_task(box("big", score=0.5))])
    pool = connect(project, from_name="box").read()
    assert pool.classes == ("car", "big")
    assert pool.objects.class_ids.tolist() == [1]


# ---- the key


def keyed(label_studio: LabelStudio, values: list[Any]) -> int:
    tasks = [text_task([choice("good", probs=[0.5, 0.3, 0.2])]) for _ in values]
    for task, value in zip(tasks, values, strict=True):
        task["data"]["name"] = value
    return label_studio.create_project(CHOICES.format(more=""), tasks)


def test_ids_are_the_values_of_the_key(label_studio: LabelStudio, connect: Open) -> None:
    project = keyed(label_studio, ["b", 'ä "quoted"', 7])
    assert connect(project, key="name").read().item_ids.tolist() == ["b", 'ä "quoted"', "7"]


def test_a_key_that_some_tasks_lack_names_them(label_studio: LabelStudio, connect: Open) -> None:
    project = keyed(label_studio, ["a", None, "c"])
    second = label_studio.task_ids(project)[1]
    with pytest.raises(InvalidInput, match=f"'name', which 1 tasks do not have: {second}"):
        connect(project, key="name").read()


def test_a_key_that_repeats_names_the_tasks(label_studio: LabelStudio, connect: Open) -> None:
    project = keyed(label_studio, ["a", "b", "a"])
    first, _, third = label_studio.task_ids(project)
    with pytest.raises(InvalidInput, match=f"'a' \\(tasks {first} and {third}\\)"):
        connect(project, key="name").read()


def test_a_project_that_asks_its_backend_when_it_is_listed_is_said(
    label_studio: LabelStudio, connect: Open
) -> None:
    project = label_studio.create_project(
        CHOICES.format(more=""), [text_task([])], evaluate_predictions_automatically=True
    )
    adapter = connect(project)
    assert "live_predictions" in codes(adapter.read())
    assert "switch it off in the project's settings while labelnext reads." in [
        finding.hint for finding in adapter.check()
    ]


@pytest.mark.parametrize("key", [None, "name"], ids=["by task", "by a data key"])
def test_embeddings_come_from_a_side_file(
    label_studio: LabelStudio, tmp_path: Path, key: str | None
) -> None:
    tasks = [text_task([choice("good", probs=[0.5, 0.3, 0.2])]) for _ in range(3)]
    for number, task in enumerate(tasks):
        task["data"]["name"] = f"item-{number}"
    project = label_studio.create_project(CHOICES.format(more=""), tasks)
    ids = [str(t) for t in label_studio.task_ids(project)]
    names = ids if key is None else ["item-0", "item-1", "item-2"]
    np.savez(
        tmp_path / "side.npz",
        item_ids=np.array(names[::-1]),
        embeddings=np.array([[0.0, 1.0], [9.0, 9.0], [0.0, 0.0]]),
    )
    source = {"url": label_studio.url, "api_key": label_studio.token, "project": project}
    report = run(
        {
            "source": {"adapter": "label-studio", "key": key, **source}
            | {"predictions": {"file": str(tmp_path / "side.npz")}},
            "selection": {"method": "k_center", "budget": 2},
            "report": {"path": None},
            "state": str(tmp_path),
        },
        dry_run=True,
    )
    # (0, 1) is the nearest to the mean, and (9, 9) the farthest from it.
    assert {*report.ranking.item_ids} == {names[1], names[2]}


# ---- model versions


@pytest.fixture(scope="module")
def two_versions(label_studio: LabelStudio) -> int:
    """m2 is newer, and on the first of two tasks only."""
    tasks = [text_task([choice("good", probs=[0.6, 0.2, 0.2])]) for _ in range(2)]
    project = label_studio.create_project(CHOICES.format(more=""), tasks)
    first = label_studio.task_ids(project)[0]
    newer = {"task": first, "model_version": "m2", "result": [choice("bad", probs=[0, 1, 0])]}
    label_studio.api("POST", f"/api/projects/{project}/import/predictions", [newer])
    return project


def test_the_newest_of_mixed_model_versions_is_used_and_said(
    connect: Open, two_versions: int
) -> None:
    adapter = connect(two_versions)
    pool = adapter.read()
    assert pool.missing.tolist() == [False, True]
    assert pool.probabilities[0].tolist() == [0, 1, 0]
    (notice,) = pool.notices
    assert notice.code == "mixed_model_versions"
    assert notice.message == (
        "The predictions are of 2 model versions; m2 was used, the newest. Left out: m1 (2)."
    )
    assert "Model versions, newest first: 'm2' (1), 'm1' (2)." in [
        f.message for f in adapter.check() if f.level == "warning"
    ]


def test_a_named_model_version_is_used(connect: Open, two_versions: int) -> None:
    pool = connect(two_versions, model_version="m1").read()
    assert pool.probabilities.tolist() == [[0.6, 0.2, 0.2]] * 2


def test_a_model_version_that_is_not_there_lists_those_that_are(
    connect: Open, two_versions: int
) -> None:
    adapter = connect(two_versions, model_version="m3")
    with pytest.raises(NotFound, match=r"got 'm3'.*they are: 'm2', 'm1'"):
        adapter.read()
    assert adapter.check()[-1].level == "error"


def test_several_model_versions_are_a_committee(connect: Open, two_versions: int) -> None:
    adapter = connect(two_versions, model_version=["m1", "m2"])
    pool = adapter.read()
    assert pool.probabilities.shape == (2, 2, 3)
    assert pool.versions == ("m1", "m2")
    assert pool.probabilities[:, 0].tolist() == [[0.6, 0.2, 0.2], [0, 1, 0]]
    assert pool.probabilities[0, 1].tolist() == [0.6, 0.2, 0.2]
    assert np.isnan(pool.probabilities[1, 1]).all()
    assert not pool.missing.any()
    assert codes(pool) == ["missing_members"]
    # The members differ on the first task; on the second there is only one.
    assert rank(pool, "vote_entropy").scores.round(4).tolist() == [0.6931, 0.0]
    assert "error" not in [f.level for f in adapter.check()]


def test_a_committee_of_detectors_is_a_set_of_objects_each(
    label_studio: LabelStudio, connect: Open
) -> None:
    both = image_task(box(score=0.5))
    both["predictions"] += image_task(box(score=0.75), box("bus", score=1), version="m2")[
        "predictions"
    ]
    project = label_studio.create_project(TWO_TAGS, [both, image_task()])
    pool = connect(project, from_name="box", model_version=["m1", "m2"]).read()
    assert [o.confidences.tolist() for o in pool.objects] == [[0.5], [0.75, 1]]
    assert [o.counts.tolist() for o in pool.objects] == [[1, 0], [2, 0]]


def test_a_committee_of_different_kinds_is_refused(
    label_studio: LabelStudio, connect: Open
) -> None:
    task = text_task([choice("good", probs=[0.5, 0.3, 0.2])])
    task["predictions"] += text_task([choice("good", score=0.5)], version="m2")["predictions"]
    project = label_studio.create_project(CHOICES.format(more=""), [task])
    with pytest.raises(InvalidInput, match="m1 holds class probabilities, m2 holds objects"):
        connect(project, model_version=["m1", "m2"]).read()


@pytest.mark.parametrize("names", [[], ["m1", "m1"]])
def test_a_list_of_versions_holds_different_names(connect: Open, names: list[str]) -> None:
    with pytest.raises(ConfigError, match="a list of different names"):
        connect(1, model_version=names)


def test_the_newest_of_repeated_predictions_is_used(
    label_studio: LabelStudio, connect: Open
) -> None:
    task = text_task([choice("good", probs=[0.6, 0.2, 0.2])], [choice("bad", probs=[0, 1, 0])])
    project = label_studio.create_project(CHOICES.format(more=""), [task])
    pool = connect(project).read()
    assert pool.probabilities.tolist() == [[0, 1, 0]]
    assert codes(pool) == ["repeated_predictions"]


def test_the_paged_way_reads_the_same(
    connect: Open, two_versions: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    joined = connect(two_versions).read()
    from labelnext_adapters.label_studio import read

    monkeypatch.setattr(read, "MOST_IN_ONE_LIST", 1)
    monkeypatch.setattr(read, "PAGE_SIZE_WITH_PREDICTIONS", 1)
    paged = connect(two_versions).read()
    assert paged.fingerprint() == joined.fingerprint()
    assert paged.notices == joined.notices


# ---- what predictions of choices can hold


@pytest.mark.parametrize(
    "result",
    [
        [choice("good", probs={"odd": 0.2, "good": 0.5, "bad": 0.3})],
        [choice("good", probs=[0.5, 0.3, 0.2])],
        [{**choice("good"), "meta": {"probs": {"good": 0.5, "bad": 0.3, "odd": 0.2}}}],
        [choice("odd", score=0.2), choice("good", score=0.5), choice("bad", score=0.3)],
    ],
    ids=["value.probs by name", "value.probs as a list", "meta.probs", "a scored region each"],
)
def test_a_distribution_is_found_in_each_of_its_places(
    label_studio: LabelStudio, connect: Open, result: list[Json]
) -> None:
    project = label_studio.create_project(CHOICES.format(more=""), [text_task(result)])
    assert connect(project).read().probabilities.tolist() == [[0.5, 0.3, 0.2]]


def test_one_score_of_two_classes_is_a_distribution(
    label_studio: LabelStudio, connect: Open
) -> None:
    region = {**choice("night", score=0.75), "to_name": "image"}
    by_prediction = {**choice("day"), "to_name": "image"}
    tasks = [image_task(region), image_task(by_prediction, score=0.625)]
    project = label_studio.create_project(TWO_TAGS, tasks)
    pool = connect(project, from_name="kind").read()
    assert pool.probabilities.tolist() == [[0.25, 0.75], [0.625, 0.375]]


def test_one_score_of_three_classes_is_an_object(label_studio: LabelStudio, connect: Open) -> None:
    tasks = [text_task([choice("bad", score=0.75)]), text_task([choice("odd")], score=0.5)]
    project = label_studio.create_project(CHOICES.format(more=""), [*tasks, text_task([])])
    pool = connect(project).read()
    assert pool.probabilities is None
    assert pool.objects.confidences.tolist() == [0.75, 0.5]
    assert pool.objects.class_ids.tolist() == [1, 2]
    assert pool.missing.tolist() == [False, False, False]
    assert rank(pool, "least_confidence", no_objects="last").scores[:2].tolist() == [0.5, 0.25]


def test_items_without_a_distribution_among_others_are_counted(
    label_studio: LabelStudio, connect: Open
) -> None:
    tasks = [text_task([choice("bad", probs=[0, 1, 0])]), text_task([choice("bad", score=0.75)])]
    project = label_studio.create_project(CHOICES.format(more=""), tasks)
    pool = connect(project).read()
    assert pool.missing.tolist() == [False, True]
    (notice,) = pool.notices
    assert (notice.code, notice.item_ids) == ("no_distribution", (pool.item_ids[1],))


def test_choices_without_any_score_are_counted(label_studio: LabelStudio, connect: Open) -> None:
    project = label_studio.create_project(CHOICES.format(more=""), [text_task([choice("bad")])])
    pool = connect(project).read()
    assert pool.missing.tolist() == [True]
    assert codes(pool) == ["no_score"]


def test_independent_classes_are_multilabel(label_studio: LabelStudio, connect: Open) -> None:
    config = CHOICES.format(more=' choice="multiple"')
    tasks = [text_task([choice(c, score=0.75) for c in ("good", "bad", "odd")])]
    pool = connect(label_studio.create_project(config, tasks)).read()
    assert pool.multilabel
    assert pool.probabilities.tolist() == [[0.75, 0.75, 0.75]]
    assert codes(pool) == ["multilabel"]


def test_a_distribution_that_does_not_sum_to_1_names_the_task(
    label_studio: LabelStudio, connect: Open
) -> None:
    tasks = [text_task([choice("bad", probs=p)]) for p in ([0, 1, 0], [0.5, 0.1, 0.1])]
    project = label_studio.create_project(CHOICES.format(more=""), tasks)
    second = label_studio.task_ids(project)[1]
    with pytest.raises(InvalidInput, match=f"sum to 1.*got 0.7 for item {second}"):
        connect(project).read()


def test_a_ragged_distribution_is_counted(label_studio: LabelStudio, connect: Open) -> None:
    tasks = [text_task([choice("bad", probs=p)]) for p in ([0, 1, 0], [0.5, 0.5])]
    pool = connect(label_studio.create_project(CHOICES.format(more=""), tasks)).read()
    assert pool.missing.tolist() == [False, True]
    assert codes(pool) == ["broken_regions"]


def test_an_unknown_label_names_the_task(label_studio: LabelStudio, connect: Open) -> None:
    tasks = [text_task([choice("bad", probs={"bad": 0.5, "worse": 0.5})])]
    project = label_studio.create_project(CHOICES.format(more=""), tasks)
    (task,) = label_studio.task_ids(project)
    with pytest.raises(InvalidInput, match=f"good, bad, odd; got 'worse' for item {task}"):
        connect(project).read()


# ---- what predictions of boxes can hold


def test_an_image_without_boxes_is_not_missing(label_studio: LabelStudio, connect: Open) -> None:
    tasks = [image_task(), image_task(box(score=0.5)), {"data": {"image": "http://localhost/b"}}]
    pool = connect(label_studio.create_project(TWO_TAGS, tasks), from_name="box").read()
    assert pool.missing.tolist() == [False, False, True]
    assert pool.objects.counts.tolist() == [0, 1, 0]


def test_a_turned_box_is_read_as_the_upright_box_around_it(
    label_studio: LabelStudio, connect: Open
) -> None:
    # 200 x 100 pixels: the corner is at (100, 20); 60 wide and 40 high, a quarter turn clockwise
    # about that corner puts it at x 60 to 100 and y 20 to 80 of 200 x 100.
    value = {"x": 50, "y": 20, "width": 30, "height": 40}
    size = {"original_width": 200, "original_height": 100}
    task = image_task(box(score=0.5, rotation=90, value=value, **size))
    pool = connect(label_studio.create_project(TWO_TAGS, [task]), from_name="box").read()
    np.testing.assert_allclose(pool.objects.boxes, [[0.3, 0.2, 0.5, 0.8]], atol=1e-12)


def test_the_score_of_a_box_is_its_own_then_its_class_then_the_predictions(
    label_studio: LabelStudio, connect: Open
) -> None:
    probs = {"car": 0.125, "bus": 0.875}
    task = image_task(
        box(score=0.25, value={"probs": probs}),
        box("bus", value={"probs": probs}),
        box("bus", meta={"probs": probs}),
        score=0.5,
    )
    plain = image_task(box(), score=0.5)
    adapter = connect(label_studio.create_project(TWO_TAGS, [task]), from_name="box")
    objects = adapter.read().objects
    assert objects.confidences.tolist() == [0.25, 0.875, 0.875]
    assert objects.probabilities.tolist() == [[0.125, 0.875]] * 3
    mixed = connect(label_studio.create_project(TWO_TAGS, [task, plain]), from_name="box").read()
    assert mixed.objects.confidences.tolist() == [0.25, 0.875, 0.875, 0.5]
    assert mixed.objects.probabilities is None
    assert codes(mixed) == ["partial_vectors"]
    assert mixed.notices[0].item_ids == (mixed.item_ids[1],)


def test_boxes_without_any_score_are_counted(label_studio: LabelStudio, connect: Open) -> None:
    tasks = [image_task(box()), image_task(box(score=0.5))]
    pool = connect(label_studio.create_project(TWO_TAGS, tasks), from_name="box").read()
    assert pool.missing.tolist() == [True, False]
    assert codes(pool) == ["no_score"]


def test_scores_that_are_all_zero_are_said(label_studio: LabelStudio, connect: Open) -> None:
    tasks = [image_task(box(), score=0.0), image_task(box(), score=0.0)]
    pool = connect(label_studio.create_project(TWO_TAGS, tasks), from_name="box").read()
    assert codes(pool) == ["zero_scores"]


def test_a_score_in_percent_names_the_task(label_studio: LabelStudio, connect: Open) -> None:
    project = label_studio.create_project(TWO_TAGS, [image_task()])
    (task,) = label_studio.task_ids(project)
    body = {"task": task, "model_version": "m2", "result": [box(score=87.5)]}
    label_studio.api("POST", "/api/predictions/", body)
    with pytest.raises(
        InvalidInput, match=rf"scores must be in \[0, 1\]; got 87.5 for item {task}"
    ):
        connect(project, from_name="box").read()


def test_broken_regions_are_counted(label_studio: LabelStudio, connect: Open) -> None:
    results: list[Any] = [
        [box(score=0.5, value={"x": "ten"})],
        [{"from_name": "box", "value": "no object"}],
        [box(score="high")],
    ]
    project = label_studio.create_project(TWO_TAGS, [{"data": {"image": "x"}} for _ in results])
    ids = label_studio.task_ids(project)
    for task, result in zip(ids, results, strict=True):
        body = {"task": task, "model_version": "m1", "result": result}
        label_studio.api("POST", "/api/predictions/", body)
    pool = connect(project, from_name="box").read()
    assert pool.missing.all()
    (notice,) = pool.notices
    assert (notice.code, list(notice.item_ids)) == ("broken_regions", [str(i) for i in ids])


def test_a_box_that_sticks_out_is_clipped_and_counted(
    label_studio: LabelStudio, connect: Open
) -> None:
    task = image_task(box(score=0.5, value={"x": 90}))
    pool = connect(label_studio.create_project(TWO_TAGS, [task]), from_name="box").read()
    np.testing.assert_allclose(pool.objects.boxes, [[0.9, 0.2, 1.0, 0.6]])
    assert codes(pool) == ["clipped_boxes"]


# ---- check


def test_check_says_what_the_predictions_hold(label_studio: LabelStudio, connect: Open) -> None:
    tasks = [image_task(box(score=0.5)), image_task(box(score=0.25))]
    project = label_studio.create_project(TWO_TAGS, tasks)
    before = label_studio.dump(project)
    findings = connect(project, from_name="box").check()
    assert label_studio.dump(project) == before
    assert [f.level for f in findings] == ["ok"] * 7
    assert findings[-1].message == (
        "Of the first 2 tasks, 2 have a prediction of 'm1'; they hold objects with their "
        "confidences, which allow: least_confidence, entropy, mean_object_confidence."
    )
    assert label_studio.token not in json.dumps([f.message for f in findings])


def test_predictions_that_take_too_long_are_read_in_pages(
    label_studio: LabelStudio, connect: Open, two_versions: int
) -> None:
    whole = connect(two_versions).read()
    adapter = connect(two_versions)
    cut = []

    def time_out(request: httpx.Request) -> None:
        if request.url.path == "/api/predictions/":
            cut.append(request)
            raise httpx.ReadTimeout("too long", request=request)

    adapter.client._http.event_hooks["request"].append(time_out)
    assert adapter.read().fingerprint() == whole.fingerprint()
    assert len(cut) == 1
