"""What was read or heard is refused by name: its pieces have a confidence, its items none."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from labelnext.errors import InvalidInput
from tests.unit.files.reading import lines, notice, order, read

CORNERS = [[1, 2], [3, 2], [3, 4], [1, 4]]
HEAD = "level\tpage_num\tblock_num\tleft\ttop\twidth\theight\tconf\ttext\n"
SEGMENT = {"id": 0, "text": "hello", "avg_logprob": -0.25, "no_speech_prob": 0.0}
REFUSED: dict[str, tuple[str, Any]] = {
    "tesseract": ("p.tsv", f"{HEAD}5\t1\t1\t10\t10\t50\t20\t96\tword\n"),
    "paddle": ("p.json", {"input_path": "a.jpg", "rec_texts": ["w"], "rec_scores": [0.5]}),
    "paddle by image": ("p.json", {"a.jpg": [[CORNERS, ["word", 0.5]]]}),
    "easyocr": ("p.json", {"a.jpg": [[CORNERS, "word", 0.5]], "b.jpg": []}),
    "textract": ("p.json", {"a.jpg": {"DocumentMetadata": {}, "Blocks": [{"Confidence": 9.5}]}}),
    "whisper": ("p.json", {"text": "hello", "segments": [SEGMENT], "language": "en"}),
    "words": ("p.json", {"a.wav": {"text": "hi", "words": [{"word": "hi", "probability": 0.5}]}}),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_was_read_or_heard_is_refused_by_name(tmp_path: Path, kind: str) -> None:
    with pytest.raises(InvalidInput, match="read or heard has a confidence for each piece") as e:
        read(tmp_path, *REFUSED[kind])
    assert "the mean or the lowest of its pieces" in str(e.value.hint)


def test_lines_with_what_was_heard_say_what_to_write(tmp_path: Path) -> None:
    records = [{"audio": f"{item}.wav", "text": "hi", "segments": [SEGMENT]} for item in "ab"]
    told = notice(read(tmp_path, "p.jsonl", lines(records)), "no_predictions").message
    assert "each piece (segments), but none for the item. Write a row for each item" in told
    assert "exp(avg_logprob)" in told


def test_what_the_hint_says_to_write_ranks(tmp_path: Path) -> None:
    logs = {"a.wav": [-0.25, -0.75], "b.wav": [-1.0, -1.5], "c.wav": [-0.5]}
    told = {item: sum(map(math.exp, parts)) / len(parts) for item, parts in logs.items()}
    records = [{"item_id": item, "confidence": sure} for item, sure in told.items()]
    assert order(read(tmp_path, "p.jsonl", lines(records))) == ["b.wav", "c.wav", "a.wav"]


def test_a_table_with_words_and_embeddings_is_read_by_these(tmp_path: Path) -> None:
    record = {"text": "hi", "words": [{"word": "hi"}], "embedding": [0.5, 1.0]}
    pool = read(tmp_path, "p.jsonl", lines([{"item_id": item, **record} for item in "ab"]))
    assert pool.embeddings is not None
    assert pool.embeddings.tolist() == [[0.5, 1.0]] * 2
