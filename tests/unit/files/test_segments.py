"""Segments of sounds and videos, a row each; and files of segments without any certainty."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from labelnext.errors import ConfigError, InvalidInput
from labelnext_adapters.files.tables.clock_times import with_seconds
from tests.unit.files.reading import notice, order, read

# By the mean of their entropies: of one with 0.75, of 0.875 and 0.5, of 1 and 0.9375.
ROWS = [
    ("a.wav", 0, 1.5, "speech", 0.875),
    ("a.wav", 1.5, 3, "music", 0.5),
    ("b.wav", 0, 2, "speech", 1.0),
    ("b.wav", 2, 4, "noise", 0.9375),
    ("c.wav", 0, 1, "speech", 0.75),
]
EXPECTED = ["c.wav", "a.wav", "b.wav"]


def _table(head: str, sign: str = ",") -> str:
    return "\n".join([head.replace(",", sign), *(sign.join(map(str, row)) for row in ROWS)])


@pytest.mark.parametrize(
    "head",
    [
        "file,start,end,label,score",
        "uri,start,end,speaker,confidence",
        "filename,onset,offset,event_label,confidence",
        "File,Start (s),End (s),Common name,Confidence",
        "Begin Path,Begin Time (s),End Time (s),Common Name,Confidence",
        "audio_filepath,start_ms,end_ms,prediction,prob",
        "recording,tmin,tmax,phoneme,score",
    ],
)
@pytest.mark.parametrize("sign", [",", "\t"])
def test_a_row_for_each_segment_is_an_object(tmp_path: Path, head: str, sign: str) -> None:
    pool = read(tmp_path, "segments.tsv", _table(head, sign))
    assert order(pool) == EXPECTED
    assert pool.newest_objects is not None
    assert pool.newest_objects.counts.tolist() == [2, 2, 1]
    assert pool.newest_objects.spans


def test_segments_whose_scores_sum_to_1_are_no_classes(tmp_path: Path) -> None:
    content = "file,start,end,label,score\na,0,1,x,0.9375\na,1,2,y,0.0625\nb,0,1,x,0.5\nb,1,2,y,0.5"
    pool = read(tmp_path, "t.csv", content)
    assert pool.probabilities is None
    assert order(pool) == ["b", "a"]


def test_times_of_requests_make_no_segments(tmp_path: Path) -> None:
    when = "2024-01-01 10:00:00,2024-01-01 10:00:01"
    rows = [f"{i},{c},{p},{when}" for i, c, p in
            [("a", "x", 0.875), ("a", "y", 0.125), ("b", "x", 0.5), ("b", "y", 0.5)]]  # fmt: skip
    pool = read(tmp_path, "t.csv", "\n".join(["id,label,score,start_time,end_time", *rows]))
    assert pool.probabilities is not None
    assert order(pool) == ["b", "a"]


@pytest.mark.parametrize(
    ("head", "row"),
    [
        ("Start (s),End (s),Common name,Confidence", "0,3,tit,{}"),
        ("xmin,ymin,xmax,ymax,confidence,class", "0,0,0.5,0.5,{},cat"),
        ("x,y,w,h,confidence,class", "1,1,5,5,{},cat"),
        ("left,top,width,height,confidence,class", "1,1,5,5,{},cat"),
    ],
)
def test_a_folder_of_tables_of_one_item_each_names_items_by_file(
    tmp_path: Path, head: str, row: str
) -> None:
    (tmp_path / "out").mkdir()
    for name, scores in {"a": [0.875, 0.5], "b": [0.9375], "c": []}.items():
        text = "\n".join([head, *map(row.format, scores)])
        (tmp_path / "out" / f"{name}.csv").write_text(f"{text}\n")
    pool = read(tmp_path, "out")
    assert pool.item_ids.tolist() == ["a", "b", "c"]
    assert pool.newest_objects is not None
    assert pool.newest_objects.counts.tolist() == [2, 1, 0]
    assert order(pool)[:2] == ["a", "b"]
    assert "Named items after their files" in notice(pool, "layout").message


@pytest.mark.parametrize(
    ("head", "cure"),
    [
        ("start,end,label,score", "add a column file with the recording or text that it is of."),
        ("start,end,text,words", "that it is of, and one called score."),
    ],
)
def test_segments_of_nothing_are_named(tmp_path: Path, head: str, cure: str) -> None:
    with pytest.raises(InvalidInput, match="must have a column item_id") as caught:
        read(tmp_path, "t.csv", f"{head}\n0,1,a,0.5\n1,2,b,0.75\n")
    assert str(caught.value.hint).endswith(cure)


AUDACITY = "0.000000\t1.500000\tspeech\n1.500000\t3.000000\tmusic\n"


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("labels.txt", AUDACITY, "a label track of Audacity"),
        ("labels.tsv", AUDACITY, "a label track of Audacity"),
        ("a.rttm", "SPEAKER a 1 0.00 1.50 <NA> <NA> s1 <NA> <NA>\n", "an RTTM file"),
        ("a.txt", "SPEAKER a 1 0.00 1.50 <NA> <NA> s1 <NA> <NA>\n", "an RTTM file"),
        ("a.srt", "1\n00:00:00,000 --> 00:00:01,000\nhi\n", "a file of subtitles"),
        ("a.vtt", "WEBVTT\n\n00:00.000 --> 00:01.000\nhi\n", "a file of subtitles"),
        ("a.TextGrid", 'File type = "ooTextFile"\nObject class = "TextGrid"\n', "a TextGrid"),
    ],
)
def test_files_of_segments_without_scores_are_named(
    tmp_path: Path, name: str, content: str, kind: str
) -> None:
    with pytest.raises(ConfigError, match=f"must hold predictions; '{name}' is {kind}") as caught:
        read(tmp_path, name, content)
    assert "file,start,end,label,score" in str(caught.value.hint)


def test_a_folder_of_label_tracks_is_named(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    for name in "ab":
        (tmp_path / "labels" / f"{name}.txt").write_text(AUDACITY)
    with pytest.raises(ConfigError, match="'labels' is a label track of Audacity"):
        read(tmp_path, "labels")


@pytest.mark.parametrize("key", ["word_segments", "diarization"])
def test_what_speech_models_write_needs_one_confidence_per_item(tmp_path: Path, key: str) -> None:
    pieces = [{"speaker": "A", "word": "hi", "start": 0, "end": 1.5, "score": 0.5}]
    with pytest.raises(InvalidInput, match="but none for the item"):
        read(tmp_path, "p.json", {"segments": pieces, key: pieces})


def _entities(*scores: float) -> list[dict[str, object]]:
    return [{"entity_group": "PER", "score": p, "word": "x", "start": n, "end": n + 1}
            for n, p in enumerate(scores)]  # fmt: skip


@pytest.mark.parametrize("key", ["output", "segments", "entities"])
def test_a_long_text_does_not_come_first(tmp_path: Path, key: str) -> None:
    # The sum of ten entropies of 0.9375 is above that of one of 0.5; their mean is below.
    records = [{"id": "long", key: _entities(*[0.9375] * 10)}, {"id": "short", key: _entities(0.5)}]
    pool = read(tmp_path, "p.json", records)
    assert pool.newest_objects is not None
    assert pool.newest_objects.spans
    assert order(pool) == ["short", "long"]


def test_objects_with_a_start_and_an_end_are_spans(tmp_path: Path) -> None:
    records = [
        {"item_id": i, "objects": [
            {"confidence": p, "class": "x", "start": n, "end": n + 1}
            for n, p in enumerate(scores)]}
        for i, scores in {"long": [0.9375] * 10, "short": [0.5]}.items()
    ]  # fmt: skip
    assert order(read(tmp_path, "p.json", records)) == ["short", "long"]


def test_starts_and_ends_are_not_said_to_be_left_out(tmp_path: Path) -> None:
    records = [
        {"id": i, "segments": [{"label": "x", "score": p, "start": n, "end": n + 1}
                               for n, p in enumerate(scores)]}
        for i, scores in {"long": [0.9375] * 10, "short": [0.5]}.items()
    ]  # fmt: skip
    pa.parquet.write_table(pa.Table.from_pylist(records), tmp_path / "p.parquet")
    pool = read(tmp_path, "p.parquet")
    assert pool.newest_objects is not None
    assert pool.newest_objects.spans
    assert not [one for one in pool.notices if one.code == "no_boxes"]


CLOCKS = ["00:01", "0:00:01", "00:00:01.0", "00:00:01,0", " 0:01 "]


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("names", ["start,end", "Start Time,End Time", "onset,offset"])
def test_clock_times_are_starts_and_ends(tmp_path: Path, clock: str, names: str) -> None:
    # As classes of one item, 0.75 and 0.25 would be a distribution.
    rows = [("b", "00:01:02.5", "cat", 0.75), ("b", "1:03", "dog", 0.25), ("a", "1:03", "cat", 0.5)]
    told = [f'{item},"{clock}","{end}",{kind},{sure}' for item, end, kind, sure in rows]
    pool = read(tmp_path, "p.csv", "\n".join([f"file,{names},label,score", *told]))
    assert pool.newest_objects is not None
    assert pool.newest_objects.spans
    assert pool.newest_objects.offsets.tolist() == [0, 2, 3]
    assert order(pool) == ["a", "b"]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("kind", ["duration", "time"])
def test_times_of_arrow_are_starts_and_ends(tmp_path: Path, unit: str, kind: str) -> None:
    if kind == "duration":
        clock = pa.duration(unit)
    else:
        clock = pa.time32(unit) if unit in ("s", "ms") else pa.time64(unit)
    step = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    ends = pa.array([2 * step, 3 * step], pa.int32() if unit in ("s", "ms") else pa.int64())
    if kind == "duration":
        ends = ends.cast(pa.int64())
    columns = {"file": ["a", "a"], "start": ends.cast(clock), "end": ends.cast(clock)}
    table = pa.table({**columns, "label": ["x", "y"], "score": [0.75, 0.25]})
    assert with_seconds(table)[0].column("end").to_pylist() == [2.0, 3.0]
    pa.parquet.write_table(table, tmp_path / "p.parquet")
    pool = read(tmp_path, "p.parquet")
    assert pool.newest_objects is not None
    assert pool.newest_objects.spans


@pytest.mark.parametrize("start", ["0", "00:00"])
def test_one_segment_a_file_is_a_segment(tmp_path: Path, start: str) -> None:
    rows = [f"{item},{start},00:09,cat,{sure}" for item, sure in {"a": 0.75, "b": 0.5}.items()]
    text = "\n".join(["file,start,end,label,score", *rows])
    pool = read(tmp_path, "p.csv", text if ":" in start else text.replace("00:09", "9"))
    assert pool.newest_objects is not None
    assert order(pool) == ["b", "a"]


def test_texts_that_are_no_clock_times_stay(tmp_path: Path) -> None:
    table = pa.table({"start": ["soon", "00:01"], "end": ["10:30 am", None]})
    assert with_seconds(table) == (table, [])


def test_one_text_that_is_no_time_is_told_and_seconds_stand_beside_times(tmp_path: Path) -> None:
    starts = ["00:01"] * 20
    starts[3], starts[5] = "soon", "62,5"
    rows = [f'{n},"{start}",01:09,cat,0.{n + 10}' for n, start in enumerate(starts)]
    pool = read(tmp_path, "p.csv", "\n".join(["file,start,end,label,score", *rows]))
    assert len(pool) == 20
    assert notice(pool, "left_out").message == (
        "Left out 1 of 20 values of start, but not the items: line 5: start must be a time such as "
        "00:01:02.5, or seconds; got 'soon'."
    )
    table = pa.table({"start": starts, "end": starts})
    expected = [None if n == 3 else 62.5 if n == 5 else 1.0 for n in range(20)]
    assert with_seconds(table)[0].column("start").to_pylist() == expected


def test_rows_of_segments_without_names_ask_for_theirs(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="must name the columns") as caught:
        read(tmp_path, "p.tsv", "0.5\t1.5\tspeech\t0.9\n1.5\t3.2\tmusic\t0.8\n")
    assert "start,end,label,score" in str(caught.value.hint)


def test_two_probabilities_before_a_class_are_no_label_track(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="must name the columns"):
        read(tmp_path, "p.tsv", "0.9\t0.1\tcat\n0.2\t0.8\tdog\n")
