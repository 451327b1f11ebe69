"""The levels of the form that ranks, what it foresees, and how it speaks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labelnext.errors import Busy
from labelnext.journal.lock import only_run
from labelnext_adapters.fiftyone.app.app import state_folder
from labelnext_adapters.fiftyone.app.summary import summarise_run
from tests.integration.app import choices, context, execute, form, panel, part, shown

pytest_plugins = ("tests.integration.mongod",)

RANK = {"purpose", "level", "budget", "recommended", "scope", "foreseen"}
ROWS = [[0.9, 0.1], [0.4, 0.6], [0.7, 0.3], [0.5, 0.5]]


@pytest.fixture
def pictures(plugins: Path, dataset: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Six samples, a to f, of two scenes; e and f are labelled; the order is d, b, c, a."""
    import fiftyone as fo

    from labelnext_adapters.fiftyone.app import foreseen

    monkeypatch.setattr(foreseen, "PATIENCE", 60)
    monkeypatch.setattr(fo.config, "allow_legacy_orchestrators", True, raising=False)
    dataset.default_classes = ["cat", "dog"]
    samples = []
    for name, row in zip("abcdef", [*ROWS, [0.8, 0.2], [0.3, 0.7]], strict=True):
        label = dataset.default_classes[int(np.argmax(row))]
        pred = fo.Classification(label=label, logits=np.log(row))
        tag = "day" if name in "ac" else "night"
        sample = fo.Sample(f"/{name}.png", name=name, pred=pred, tags=[tag], scene=tag.upper())
        if name in "ef":
            sample["truth"] = fo.Classification(label="cat")
        samples.append(sample)
    dataset.add_samples(samples, progress=False)
    return dataset


def test_the_first_level_asks_for_the_budget_and_says_what_comes_of_it(pictures: Any) -> None:
    inputs = form("rank_samples", pictures, level="rank", budget=2)
    assert set(inputs) - {"view_target"} == RANK
    said = inputs["recommended"]["default"]
    assert said == (
        "Recommended: **margin**, because the dataset has class probabilities; "
        "the best scores come first."
    )
    # d is a tie, whose first class counts; b is a dog.
    said = "The batch: **2 of 4** samples. Predicted: cat (1), dog (1)."
    assert inputs["foreseen"]["default"] == said
    assert inputs["scope"]["default"].startswith("Ranks **4 of 6** samples")


def test_formulas_keep_their_small_letters(pictures: Any) -> None:
    offered = choices(form("rank_samples", pictures)["acquisition"])
    assert offered["margin"]["description"] == "p1 − p2: gap between the two most likely classes"


def test_the_dialog_says_why_nothing_was_ranked(pictures: Any) -> None:
    asked: list[Any] = []
    ctx = context("rank_samples", pictures, params={"budget": 2})
    with only_run(state_folder(pictures)), pytest.raises(Busy):
        asked.extend(part("rank_samples").execute(ctx))
    notified, told = (message.to_json()["body"]["params"] for message in asked[-2:])
    assert "is ranking, sending or fetching samples of this dataset" in told["label"]
    assert told["progress"] == 0
    assert notified["message"] == told["label"]


def test_the_first_level_ranks_by_what_it_says(pictures: Any) -> None:
    result = execute("rank_samples", pictures, budget=2)
    pictures.reload()
    assert shown(pictures, result) == ["d", "b"]
    assert pictures.get_run_info("labelnext").config.gt_field == "truth"


def test_each_level_shows_more(pictures: Any) -> None:
    more = set(form("rank_samples", pictures, level="more"))
    everything = set(form("rank_samples", pictures, level="everything"))
    assert more - RANK - {"view_target"} == {
        "pred_field", "labelled", "acquisition", "method", "budget_in", "like_selected", "run",
    }  # fmt: skip
    assert everything - more == {"calibrate", "quota", "groups", "whole", "near", "seed"}


def test_no_prefilled_field_is_required(pictures: Any) -> None:
    for level in ("rank", "more", "everything"):
        inputs = form("rank_samples", pictures, level=level)
        assert not [n for n, p in inputs.items() if p["required"] and n != "view_target"]


def test_what_cannot_be_chosen_is_grey_and_says_why_without_keys(pictures: Any) -> None:
    prop = form("rank_samples", pictures, level="more")["acquisition"]
    choice = choices(prop)["mean_object_confidence"]
    assert choice["label"] == "mean_object_confidence"
    assert choice["description"] == "Needs detected objects, but these predictions have none"
    menu = prop["view"]["componentsProps"]["select"]["MenuProps"]["sx"]
    assert menu['& [data-value="mean_object_confidence"]']["pointerEvents"] == "none"
    assert '& [data-value="margin"]' not in menu
    methods = choices(form("rank_samples", pictures, level="more")["method"])
    assert methods["object_diversity"]["description"].endswith("but these predictions have none")
    assert methods["k_center"]["description"].endswith("but the dataset has none")


def test_hours_become_a_budget(pictures: Any) -> None:
    hours = {"level": "more", "budget_in": "hours", "hours": 0.05, "seconds": 60.0}
    inputs = form("rank_samples", pictures, **hours)
    assert "budget" not in inputs
    assert inputs["foreseen"]["default"].startswith("The batch: **3 of 4**")
    refused = form("rank_samples", pictures, **{**hours, "seconds": 0})["hours"]
    assert refused["error_message"] == "Enter hours and seconds above 0."


def test_a_cleared_budget_is_asked_for(pictures: Any) -> None:
    prop = form("rank_samples", pictures, level="rank", budget=None)["budget"]
    assert prop["error_message"] == "Enter a whole number of at least 1."


def test_quotas_by_tag_and_limits_of_groups(pictures: Any) -> None:
    chosen = {"budget": 2, "quota": "numbers", "quota_of": "tag", "quota_numbers": "day: 2"}
    result = execute("rank_samples", pictures, run="days", **chosen)
    pictures.reload()
    assert shown(pictures, result) == ["c", "a"]
    result = execute("rank_samples", pictures, run="one", budget=2, groups="scene", per_group=1)
    pictures.reload()
    assert shown(pictures, result) == ["d", "c"]
    prop = form("rank_samples", pictures, **{**chosen, "quota_numbers": "day"})["quota_numbers"]
    assert "a name, a colon and a number; got 'day'" in prop["error_message"]


def test_what_a_run_would_refuse_is_said_in_words(pictures: Any) -> None:
    prop = form("rank_samples", pictures, budget=1, quota="numbers", quota_numbers="cat: 5")
    assert prop["problem"]["error_message"] == ("Quota must sum to at most the budget of 1; got 5.")
    taken = form("rank_samples", pictures, level="more", run="a b")["run"]["error_message"]
    assert taken.startswith("The run name must be a name for a new field")
    assert "write." not in taken


def test_labels_are_reviewed_on_a_tab(pictures: Any) -> None:
    assert list(choices(form("rank_samples", pictures, level="rank")["purpose"])) == [
        "label", "review", "measure",
    ]  # fmt: skip
    inputs = form("rank_samples", pictures, purpose="review")
    assert "acquisition" not in inputs
    assert inputs["run"]["default"] == "labelnext_review"
    assert inputs["foreseen"]["default"].startswith("The batch: **2 of 2** labelled samples")
    # The model calls f a dog, and the label says cat.
    result = execute("rank_samples", pictures, purpose="review", budget=1)
    pictures.reload()
    assert shown(pictures, result) == ["f"]
    assert pictures.list_runs() == ["labelnext_review"]
    state = panel(pictures)[0].panel.state
    assert state.text.startswith("To check: **1** of 2 labelled samples, by")
    assert "Labelled so far" not in state.text, "all that is reviewed is labelled"
    ids = dict(zip(*pictures.values(["name", "id"]), strict=True))
    assert (state.next_are, state.next_ids) == ("Labels to check", [ids["f"]])
    (row,) = summarise_run(pictures, "labelnext_review").next_items
    assert row["reason"].startswith("The label says cat. The model leans to dog (70%)")
    pictures.clear_sample_field("truth")
    inputs = form("rank_samples", pictures, level="rank")
    assert "purpose" not in inputs
    assert "once truth holds some" in inputs["no_review"]["default"]


def test_labels_of_another_kind_lead_to_those_that_can_be_compared(pictures: Any) -> None:
    import fiftyone as fo

    box = fo.Detection(label="cat", bounding_box=[0, 0, 1, 1])
    pictures.set_values("boxes", [fo.Detections(detections=[box])] * len(pictures))
    said = form("rank_samples", pictures, labelled="field:boxes")["no_review"]["default"]
    assert "if they are of the same kind; those in boxes are of another." in said
    assert said.endswith("Choose truth as *Already labelled*, under *More*.")
    assert "no_review" not in form("rank_samples", pictures)


def test_predictions_are_measured_on_a_tab(pictures: Any) -> None:
    inputs = form("rank_samples", pictures, purpose="measure")
    assert {"acquisition", "budget", "run", "foreseen"}.isdisjoint(inputs)
    said = "Compares **2 of 6** samples of"
    assert inputs["scope"]["default"].startswith(said)
    before = pictures.list_runs(), list(pictures.get_field_schema())
    # The model calls f a dog, and the label says cat; one of two is right.
    result = execute("rank_samples", pictures, purpose="measure").result
    assert "Labelled: **2** of 6 samples (33%)." in result["text"]
    assert "50.0% of 2 labelled samples are predicted as they were labelled" in result["text"]
    assert result["rows"] == []
    assert (
        "Too few to compare: pred, where prediction and label differ: 1 of 2 samples."
        in result["text"]
    )
    pictures.reload()
    assert (pictures.list_runs(), list(pictures.get_field_schema())) == before


def test_measured_predictions_say_which_function_finds_mistakes(pictures: Any) -> None:
    import fiftyone as fo

    # Twenty more, of which five are wrong and less certain than all others: each order finds
    # them among the first 10 % as far as they have room there, which is two of five.
    samples = []
    for number in range(20):
        row = [0.6, 0.4] if number < 5 else [0.95, 0.05]
        pred = fo.Classification(label="cat", logits=np.log(row))
        truth = fo.Classification(label="dog" if number < 5 else "cat")
        samples.append(fo.Sample(f"/{number}.png", pred=pred, truth=truth))
    pictures.match_tags(["day", "night"]).clear_sample_field("truth")
    pictures.add_samples(samples, progress=False)
    rows = execute("rank_samples", pictures, purpose="measure").result["rows"]
    assert rows[0]["target"] == "5 of 20 where prediction and label differ"
    assert rows[0]["first"] == "40%"
    assert rows[0]["area"].startswith("1.00 (")


def test_of_a_large_dataset_a_part_is_looked_at(
    pictures: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from labelnext_adapters.fiftyone.app import foreseen

    monkeypatch.setattr(foreseen, "MOST", 3)
    said = form("rank_samples", pictures, level="rank", budget=4)["foreseen"]["default"]
    # a, c and f are looked at: both that can be ranked are cats.
    assert said == ("The batch: **4 of 4** samples. Predicted, judged by 3 samples: cat (100%).")


def test_the_dataset_is_looked_at_once_while_it_stays_as_it_is(
    pictures: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fiftyone as fo

    from labelnext_adapters.fiftyone.app import offered, own_views

    looked, counted, looks = [], [], (offered._offered_by, own_views._counted)
    monkeypatch.setattr(offered, "_offered_by", lambda *a: looked.append(1) or looks[0](*a))
    monkeypatch.setattr(
        own_views, "_counted", lambda *a, **k: counted.append(1) or looks[1](*a, **k)
    )
    for budget in (1, 2):
        form("rank_samples", pictures, budget=budget)
    assert (len(looked), len(counted)) == (1, 1)
    pictures.add_sample_field("city", fo.StringField)
    assert "city" in choices(form("rank_samples", pictures)["groups"])
    pictures.limit(1).tag_samples("done")
    said = form("rank_samples", pictures, labelled="tag:done")["scope"]["default"]
    assert said.startswith("Ranks **5 of 6** samples")
