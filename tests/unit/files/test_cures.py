"""What is in the way is named with its cure; and kinds of tables that need none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from labelnext.adapter.registry import open_adapter
from labelnext.errors import InvalidInput, NotFound
from tests.unit.files.reading import lines, notice, order, read

ANSWERED = [("a", "cat", [0.875, 0.125]), ("b", "dog", [0.375, 0.625])]


def _answered(last: str | None) -> list[dict[str, Any]]:
    shares = [{"id": i, "label": c, "scores": dict(zip(["cat", "dog"], p, strict=True))}
              for i, c, p in ANSWERED]  # fmt: skip
    return [*shares, {"id": "c", "label": last, "scores": {"cat": 0.75, "dog": 0.25}}]


def test_labels_that_are_all_the_likeliest_class_may_be_the_models(tmp_path: Path) -> None:
    records = _answered("cat")
    told = notice(read(tmp_path, "p.json", records), "labels_predicted")
    assert "set source.columns: {prediction: label}" in told.message
    assert order(read(tmp_path, "p.json", records, columns={"prediction": "label"})) == [
        "b", "c", "a",
    ]  # fmt: skip


@pytest.mark.parametrize("last", [None, "dog"])
def test_labels_of_people_are_not_called_the_models(tmp_path: Path, last: str | None) -> None:
    pool = read(tmp_path, "p.json", _answered(last))
    assert "labels_predicted" not in [one.code for one in pool.notices]
    stated = read(tmp_path, "p.json", _answered("cat"), columns={"label": "label"})
    assert "labels_predicted" not in [one.code for one in stated.notices]


@pytest.mark.parametrize("sign", ["^", "~", ":", "\x01"])
def test_a_rare_sign_between_values_is_named(tmp_path: Path, sign: str) -> None:
    content = "id,cat,dog\na,0.9,0.1\nb,0.6,0.4\n".replace(",", sign)
    with pytest.raises(InvalidInput, match="as the only one") as caught:
        read(tmp_path, "t.csv", content)
    assert str(caught.value.hint).endswith(f"set source.delimiter: {json.dumps(sign)}.")
    assert order(read(tmp_path, "t.csv", content, delimiter=sign)) == ["b", "a"]


@pytest.mark.parametrize("name", ["prediction", "species", "out"])
@pytest.mark.parametrize("keys", [("classes", "scores"), ("class", "confidence")])
def test_lists_of_classes_and_scores_in_one_record_are_class_scores(
    tmp_path: Path, name: str, keys: tuple[str, str]
) -> None:
    shares = {"a": [0.875, 0.125], "b": [0.5, 0.375], "c": [0.25, 0.75]}
    records = [
        {"id": i, name: dict(zip(keys, (["cat", "dog"], p), strict=True))}
        for i, p in shares.items()
    ]
    pool = read(tmp_path, "p.jsonl", lines(records))
    assert order(pool) == ["b", "c", "a"]
    stated = read(tmp_path, "p.jsonl", lines(records), columns={"probabilities": name})
    assert order(stated) == ["b", "c", "a"]


@pytest.mark.parametrize(
    ("record", "cure"),
    [
        ({"v1": [0.5, 0.5], "v2": [0.75, 0.25]}, "{probabilities: [v1, v2]}"),
        ({"out": {"top": {"a": 0.5, "b": 0.5}, "took": "1 s"}}, "{probabilities: out.top}"),
        (
            {"told": {"label": "a", "confidence": 0.5}},
            "{prediction: told.label, confidence: told.confidence}",
        ),
    ],
)
def test_what_to_set_names_columns_that_hold_scores(
    tmp_path: Path, record: dict[str, Any], cure: str
) -> None:
    pool = read(tmp_path, "p.jsonl", lines([{"id": i, **record} for i in "ab"]))
    assert f"such as columns: {cure})" in notice(pool, "no_predictions").message


@pytest.mark.parametrize("other", ["Start (s)", "index"])
def test_a_number_beside_the_only_confidence_is_no_score(tmp_path: Path, other: str) -> None:
    pool = read(tmp_path, "t.csv", f"filename,{other},prob\na,3,0.9\nb,7,0.6\n")
    assert "{confidence: prob}" in notice(pool, "no_predictions").message


@pytest.mark.parametrize(
    "head",
    ["rowname,prediction_label,prediction_score", "audio,pred_name,pred_score"],
)
def test_usual_names_of_tools_need_no_mapping(tmp_path: Path, head: str) -> None:
    assert order(read(tmp_path, "t.csv", f"{head}\na,cat,0.9\nb,dog,0.6\n")) == ["b", "a"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("id,prediction\na,cat\nb,dog\n", "prediction says what the model predicts, but not how"),
        ("id,mean,std\na,12.5,0.3\nb,3.1,0.9\n", "std seems to say how uncertain the model is"),
        ("id,pred,nll\na,cat,0.1\nb,cat,0.9\n", "nll seems to say how uncertain the model is"),
        ("id,pred,disagreement\na,cat,0.1\nb,cat,0.9\n", r"set .*\{uncertainty: disagreement\}"),
        ("id,pred,logprob\na,cat,-0.1\nb,cat,-0.9\n", "logarithm of a probability. Save its exp"),
        ("item_id,rank,priority,score,batch\na,1,1.0,0.1,true\n", "a ranking that labelnext wrote"),
    ],
)
def test_tables_without_a_certainty_are_called_what_they_are(
    tmp_path: Path, text: str, told: str
) -> None:
    with pytest.raises(InvalidInput, match=told):
        order(read(tmp_path, "p.csv", text))


def test_logarithms_in_place_of_confidences_are_called_what_they_are(tmp_path: Path) -> None:
    text = "id,pred,logprob\na,cat,-0.1\nb,cat,-0.9\n"
    with pytest.raises(InvalidInput, match=r"confidence must be in \[0, 1\]") as caught:
        read(tmp_path, "p.csv", text, columns={"prediction": "pred", "confidence": "logprob"})
    assert str(caught.value.hint).startswith("these seem to be logarithms: save their exp")


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("$HOME/p.csv", "write an environment variable as ${HOME}."),
        ("%DATA%/p.csv", "write an environment variable as ${DATA}."),
        ("C:\new\test.csv", "in double quotes a backslash starts an escape"),
        ("100%/p.csv", "None"),
    ],
)
def test_a_path_that_was_written_for_a_shell_or_by_escapes_says_so(
    tmp_path: Path, path: str, hint: str
) -> None:
    with pytest.raises(NotFound) as caught:
        open_adapter("files", directory=tmp_path, path=path).read()
    assert str(caught.value.hint).startswith(hint)


def test_a_table_that_ends_within_its_header_is_refused(tmp_path: Path) -> None:
    assert len(read(tmp_path, "p.csv", "item_id,p_a,p_b\n")) == 0
    with pytest.raises(InvalidInput, match="rows below its header; it ends before the header"):
        read(tmp_path, "p.csv", "item_id,p_a,p_b")


@pytest.mark.parametrize(
    ("label", "meant", "hint"),
    [
        ("Cat", r" \(did you mean 'cat'\?\)", "write them as the classes are called"),
        ("dgo", r" \(did you mean 'dog'\?\)", "write them as the classes are called"),
        ("zebra", "", "if the model doesn't know the class, leave the label empty"),
    ],
)
def test_a_label_that_is_no_class_has_a_cure(
    tmp_path: Path, label: str, meant: str, hint: str
) -> None:
    content = f"id,cat,dog,label\na,0.9,0.1,{label}\nb,0.6,0.4,\nc,0.2,0.8,dog\n"
    said = f"label must be one of cat, dog; got '{label}'{meant}"
    with pytest.raises(InvalidInput, match=said) as caught:
        read(tmp_path, "p.csv", content)
    assert str(caught.value.hint).startswith(hint)


def test_the_cure_of_an_unknown_label_works(tmp_path: Path) -> None:
    content = "id,cat,dog,label,labelled\na,0.9,0.1,,true\nb,0.6,0.4,,false\nc,0.2,0.8,dog,true\n"
    assert read(tmp_path, "p.csv", content).labelled.tolist() == [True, False, True]
