"""Make the YOLO fixtures, to Ultralytics' published description of save_txt.

python -m tests.formats.make_yolo

Each line is "%g" of class, shape and, with save_conf, confidence, and the id of a track last:
boxes as centre, width and height; segments and oriented boxes as points; poses as a box and
points with their visibility; classification as "%.2f" of the probability and the name.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).parent / "yolo"
Lines = Mapping[str, Sequence[Sequence[float]]]


def box(number: int, *after: float) -> list[float]:
    return [number, 0.5, 0.4, 0.2, 0.1, *after]


def write(folder: Path, lines: Lines, images: Sequence[str] = ()) -> None:
    folder.mkdir(parents=True)
    for stem, rows in lines.items():
        text = "".join(" ".join(f"{v:g}" for v in row) + "\n" for row in rows)
        (folder / f"{stem}.txt").write_text(text)
    for name in images:
        (folder.parent / name).write_bytes(b"")


def main() -> None:
    shutil.rmtree(HERE, ignore_errors=True)
    bus = {"bus": [box(0, 0.9), box(5, 0.5)], "zidane": [box(0, 0.3)], "007": [box(2, 0.8)]}
    images = ["bus.jpg", "zidane.jpg", "007.png", "empty.jpg"]
    write(HERE / "detect" / "predict" / "labels", bus, images)
    classes = ["person", "bicycle", "car", "cat", "dog", "bus"]
    names = "".join(f"  {i}: {name}\n" for i, name in enumerate(classes))
    (HERE / "detect" / "data.yaml").write_text(f"path: .\nval: images/val\nnames:\n{names}")

    folder = HERE / "second" / "labels"
    write(folder, {stem: [[c, s, *rest] for c, *rest, s in rows] for stem, rows in bus.items()})
    folder = HERE / "commas" / "labels"
    write(folder, bus)
    for path in folder.iterdir():
        path.write_text(path.read_text().replace(" ", ","))

    tracked = {"video_1": [box(0, 0.9, 1), box(5, 0.5, 2)], "video_2": [box(0, 0.3, 1)]}
    write(HERE / "track" / "labels", tracked)
    write(HERE / "ids_without_confidence" / "labels", {"video_1": [box(0, 1), box(5, 2)]})
    write(HERE / "ground_truth" / "labels", {"a": [box(0), box(1)], "b": [box(2)]})

    square = [0.1, 0.1, 0.3, 0.1, 0.3, 0.2, 0.1, 0.2]
    obb = {"a": [[0, *square, 0.75], [1, *square, 0.25]], "b": [[1, *square, 0.4]]}
    write(HERE / "obb" / "labels", obb)
    triangle = [0.2, 0.2, 0.6, 0.2, 0.4, 0.8]
    segment = {"a": [[0, *triangle, 0.75], [1, *square, 0.25]], "b": [[1, *triangle, 0.4]]}
    write(HERE / "segment" / "labels", segment)
    bare = {"a": [[0, *triangle], [1, *square]], "b": [[1, *triangle, 0.5, 0.5]]}
    write(HERE / "segment_without_confidence" / "labels", bare)

    points = [v for i in range(17) for v in (0.45 + 0.005 * i, 0.38 + 0.002 * i, 0.9)]
    pose = {"a": [box(0, *points, 0.75), box(0, *points, 0.25)], "b": [box(0, *points, 0.4)]}
    write(HERE / "pose" / "labels", pose)
    write(HERE / "pose_without_confidence" / "labels", {"a": [box(0, *points)]})

    folder = HERE / "classify" / "predict" / "labels"
    folder.mkdir(parents=True)
    (folder / "a.txt").write_text("0.92 tabby cat\n0.06 dog\n0.01 7\n")
    (folder / "b.txt").write_text("0.55 dog\n0.40 tabby cat\n0.05 7\n")
    for name in ("a.jpg", "b.jpg"):
        (folder.parent / name).write_bytes(b"")

    dataset = HERE / "dataset"
    write(dataset / "run" / "labels", {"a": [box(1, 0.6)], "c": [box(0, 0.7)]})
    for name in ("valid/images/a.jpg", "valid/images/b.jpg", "train/images/z.jpg"):
        (dataset / name).parent.mkdir(parents=True, exist_ok=True)
        (dataset / name).write_bytes(b"")
    (dataset / "data.yaml").write_text(
        "train: ../train/images\nval: ../valid/images\nnc: 2\nnames: ['yes', '2']\n"
    )


if __name__ == "__main__":
    main()
