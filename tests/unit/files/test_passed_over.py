"""What is stored beside the predictions that are read is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from labelnext.errors import InvalidInput
from tests.unit.files.reading import lines, order, read

SHARES = {"a": [0.875, 0.125], "b": [0.5, 0.5], "c": [0.25, 0.75]}


def told(pool: Any) -> str:
    return " ".join(one.message for one in pool.notices if one.code == "not_read")


@pytest.mark.parametrize("key", ["probs", "scores", "softmax", "logits"])
@pytest.mark.parametrize("named", [False, True])
def test_class_scores_beside_answers_are_named_with_the_line_that_reads_them(
    tmp_path: Path, key: str, named: bool
) -> None:
    records = [
        {"id": item, "prediction": "cat", "confidence": 0.1 * n,
         key: dict(zip(("cat", "dog"), shares, strict=True)) if named else shares}
        for n, (item, shares) in enumerate(SHARES.items(), 1)
    ]  # fmt: skip
    pool = read(tmp_path, "p.jsonl", lines(records))
    assert order(pool) == ["a", "b", "c"]
    assert f"Column {key!r} was not read" in told(pool)
    assert f"source.columns: {{probabilities: {key}}}" in told(pool)
    logits: Any = {"logits": "softmax"} if key == "logits" else {}
    scored = read(tmp_path, "p.jsonl", lines(records), columns={"probabilities": key}, **logits)
    assert scored.probabilities is not None
    assert order(scored)[0] == "b"


def test_columns_of_class_scores_beside_answers_are_named(tmp_path: Path) -> None:
    rows = [f"{item},cat,0.{n},{p},{q}" for n, (item, (p, q)) in enumerate(SHARES.items(), 1)]
    text = "\n".join(["id,pred,score,cat,dog", *rows])
    pool = read(tmp_path, "p.csv", text)
    assert order(pool) == ["a", "b", "c"]
    assert "source.columns: {probabilities: [cat, dog]}" in told(pool)
    scored = read(tmp_path, "p.csv", text, columns={"probabilities": ["cat", "dog"]})
    assert order(scored)[0] == "b"


@pytest.mark.parametrize("cat", ["cat, big", "cat: big", "7", "true", "#1", "{cat}", "a 'b' c"])
def test_the_line_that_reads_columns_can_be_copied(tmp_path: Path, cat: str) -> None:
    rows = [f"{item},cat,0.{n},{p},{q}" for n, (item, (p, q)) in enumerate(SHARES.items(), 1)]
    text = "\n".join([f'id,pred,score,"{cat}",dog', *rows])
    line = told(read(tmp_path, "p.csv", text)).partition("set source.columns: ")[2]
    columns = yaml.safe_load(line.removesuffix("."))
    assert columns == {"probabilities": [cat, "dog"]}
    assert read(tmp_path, "p.csv", text, columns=columns).classes == (cat, "dog")


def test_numbers_that_are_no_class_scores_are_not_named(tmp_path: Path) -> None:
    rows = [f"{item},cat,0.{n},{n},640" for n, item in enumerate(SHARES, 1)]
    pool = read(tmp_path, "p.csv", "\n".join(["id,pred,score,fold,width", *rows]))
    assert not told(pool)


@pytest.mark.parametrize(
    ("name", "cure"),
    [("score", "{confidence: score}"), ("loss", "{uncertainty: loss}"), ("logit", "sigmoid")],
)
def test_a_lone_number_beside_an_embedding_is_named(tmp_path: Path, name: str, cure: str) -> None:
    rows = [f"{item},0.{n},{n}.5,-1.5,2" for n, item in enumerate(SHARES, 1)]
    pool = read(tmp_path, "p.csv", "\n".join([f"item_id,{name},e_0,e_1,e_2", *rows]))
    assert pool.embeddings is not None
    assert pool.embeddings.shape == (3, 3)
    assert cure in told(pool)


@pytest.mark.parametrize("key", ["id", "item_id"])
@pytest.mark.parametrize("name", ["p_value", "p_val"])
def test_a_p_value_is_no_class(tmp_path: Path, key: str, name: str) -> None:
    rows = [f"{item},{p},{q},0.04" for item, (p, q) in SHARES.items()]
    pool = read(tmp_path, "p.csv", "\n".join([f"{key},p_cat,p_dog,{name}", *rows]))
    assert pool.classes == ("cat", "dog")
    assert pool.probabilities is not None
    assert pool.probabilities.tolist() == list(SHARES.values())
    assert name in told(pool)


def test_a_class_called_value_stays_one(tmp_path: Path) -> None:
    rows = [f"{item},{p / 2},{q / 2},0.5" for item, (p, q) in SHARES.items()]
    pool = read(tmp_path, "p.csv", "\n".join(["id,p_cat,p_dog,p_value", *rows]))
    assert pool.classes == ("cat", "dog", "value")


@pytest.mark.parametrize("odd", [{"cat": "x"}, "none", 7])
def test_class_scores_under_any_key_stop_where_a_tenth_is_unusable(
    tmp_path: Path, odd: Any
) -> None:
    def records(n_odd: int) -> list[dict[str, Any]]:
        return [
            {"id": str(i), "stuff": odd if i < n_odd else {"cat": i / 100, "dog": 1 - i / 100}}
            for i in range(100)
        ]

    pool = read(tmp_path, "p.jsonl", lines(records(3)))
    assert len(pool) == 97
    assert order(pool)[0] == "50"
    with pytest.raises(InvalidInput, match="can't use 30 of 100 records: line 1"):
        read(tmp_path, "p.jsonl", lines(records(30)))


def test_an_odd_value_for_objects_is_counted_once(tmp_path: Path) -> None:
    box = {"xmin": 1, "ymin": 2, "xmax": 3, "ymax": 4}
    found = [{"label": "cat", "score": 0.5, "box": box}]
    records = [{"id": str(i), "out": "bad" if i % 2 else found} for i in range(10)]
    with pytest.raises(InvalidInput, match="can't use 5 of 10 outputs"):
        read(tmp_path, "p.jsonl", lines(records))


@pytest.mark.parametrize(
    "head",
    ["Bild;Klasse;Konfidenz", "Dateiname;Vorhersage;Wahrscheinlichkeit", "fichier;classe;confiance",
     "Image;Prédiction;Probabilité", "archivo;clase;confianza", "Imagen;Predicción;Probabilidad",
     "immagine;classe;confidenza", "arquivo;classe;confiança", "Bildname;Kategorie;Sicherheit",
     "fichier;catégorie;probabilite"],
)  # fmt: skip
def test_headers_in_other_languages_are_read(tmp_path: Path, head: str) -> None:
    rows = [f"{item}.jpg;{kind};{sure}" for item, kind, sure in
            [("007", "Katze", "0,75"), ("1e5", "Hund", "0,25"), ("b", "Hund", "0,5")]]  # fmt: skip
    pool = read(tmp_path, "p.csv", "\n".join([head, *rows]))
    assert pool.classes == ("Hund", "Katze")
    assert order(pool) == ["1e5.jpg", "b.jpg", "007.jpg"]
