"""Hard samples for object detection: from stored boxes to a Label Studio queue, twice.

Usage:
    export LABEL_STUDIO_API_KEY=…
    python detection.py detections.json images.json --label-studio http://localhost:8080

Both files are in COCO format: a results list, and one with `images` (and `categories`).
"""

from __future__ import annotations

import argparse
import json
import os
from collections import defaultdict
from pathlib import Path

# --8<-- [start:project]
SETUP = """\
<View><Image name="image" value="$image"/>
<RectangleLabels name="box" toName="image">{labels}</RectangleLabels></View>
"""


def make_project(url: str, key: str, images: list, detections: list, names: dict) -> int:
    """A Label Studio project with the detections as predictions, each box with its score."""
    from label_studio_sdk import LabelStudio

    client = LabelStudio(base_url=url, api_key=key)
    labels = "".join(f'<Label value="{name}"/>' for name in names.values())
    config = SETUP.format(labels=labels)
    project = client.projects.create(title="Hard samples for detection", label_config=config)
    found = defaultdict(list)
    for detection in detections:
        found[detection["image_id"]].append(detection)
    tasks = []
    for image in images:
        result = []
        for detection in found[image["id"]]:
            x, y, width, height = detection["bbox"]
            value = {
                "x": 100 * x / image["width"],
                "y": 100 * y / image["height"],
                "width": 100 * width / image["width"],
                "height": 100 * height / image["height"],
                "rotation": 0,
                "rectanglelabels": [names[detection["category_id"]]],
            }
            region = {"from_name": "box", "to_name": "image", "type": "rectanglelabels"}
            result.append({**region, "value": value, "score": detection["score"]})
        prediction = {"model_version": "detector", "result": result}
        data = {"image": f"/images/{image['file_name']}", "name": image["file_name"]}
        tasks.append({"data": data, "predictions": [prediction]})
    client.projects.import_tasks(id=project.id, request=tasks)
    return project.id


# --8<-- [end:project]

# --8<-- [start:config]
CONFIG = """\
source:
  adapter: label-studio
  url: {url}
  api_key: ${{LABEL_STUDIO_API_KEY}}
  project: {project}
  key: name
acquisition: {acquisition}
selection: {{budget: 50}}
report: {{path: report.html}}
"""
MEAN_OBJECT_CONFIDENCE = "{name: mean_object_confidence}"
DEFAULT = "{name: auto}"  # same as leaving the line out
# --8<-- [end:config]


# --8<-- [start:label]
def label(url: str, key: str, project: int, names: list[str]) -> None:
    """Stand in for annotators: submit the predictions of the named tasks as they are."""
    from label_studio_sdk import LabelStudio

    client = LabelStudio(base_url=url, api_key=key)
    for task in client.tasks.list(project=project, fields="all"):
        if task.data["name"] in names:
            result = task.predictions[0].result if task.predictions else []
            client.annotations.create(id=task.id, result=result)


# --8<-- [end:label]


# --8<-- [start:picture]
def picture(path: Path, images: list, detections: list, columns: dict[str, list[str]]) -> None:
    """The boxes of the five hardest images by each function, side by side."""
    from PIL import Image, ImageDraw

    found = defaultdict(list)
    by_name = {image["file_name"]: image for image in images}
    for detection in detections:
        found[detection["image_id"]].append(detection)
    side, gap = 200, 30
    sheet = Image.new("RGB", (5 * (side + 10) + 10, len(columns) * (side + 2 * gap)), "white")
    draw = ImageDraw.Draw(sheet)
    for row, (title, names) in enumerate(columns.items()):
        top = row * (side + 2 * gap) + gap
        draw.text((10, top - 20), title, "black", font_size=15)
        for place, name in enumerate(names[:5]):
            image, left = by_name[name], 10 + place * (side + 10)
            boxes = found[image["id"]]
            draw.rectangle((left, top, left + side, top + side), outline="grey")
            draw.text((left, top + side + 5), f"{len(boxes)} boxes", "black", font_size=12)
            across, down = side / image["width"], side / image["height"]
            for detection in boxes:
                x, y, width, height = detection["bbox"]
                x, y, width, height = x * across, y * down, width * across, height * down
                corners = (left + x, top + y, left + x + width, top + y + height)
                colour = "#d62728" if detection["score"] < 0.7 else "#1f77b4"
                draw.rectangle(corners, outline=colour)
                draw.text(corners[:2], f"{detection['score']:.2f}", colour, font_size=10)
    sheet.save(path)


# --8<-- [end:picture]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("detections", type=Path)
    parser.add_argument("images", type=Path)
    parser.add_argument("--label-studio", metavar="URL", default="http://localhost:8080")
    parser.add_argument("--folder", type=Path, default=Path("detection-tutorial"))
    arguments = parser.parse_args()

    import labelnext

    url, key = arguments.label_studio, os.environ["LABEL_STUDIO_API_KEY"]
    listing = json.loads(arguments.images.read_text("utf-8"))
    detections = json.loads(arguments.detections.read_text("utf-8"))
    names = {c["id"]: c["name"] for c in listing.get("categories", [])} or {
        d["category_id"]: f"class {d['category_id']}" for d in detections
    }
    project = make_project(url, key, listing["images"], detections, names)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    config = arguments.folder / "labelnext.yaml"

    hardest = {}
    for title, acquisition in (
        ("mean object confidence", MEAN_OBJECT_CONFIDENCE),
        ("labelnext's default", DEFAULT),
    ):
        config.write_text(CONFIG.format(url=url, project=project, acquisition=acquisition))
        report = labelnext.run(config)
        print(report)
        hardest[title] = report.ranking.item_ids.tolist()
    both = set.intersection(*map(set, hardest.values()))
    print(f"{len(both)} of the 50 hardest images are the same for both.")
    picture(arguments.folder / "hardest.png", listing["images"], detections, hardest)

    done = report.ranking.item_ids.tolist()
    label(url, key, project, done)
    report = labelnext.run(config)
    print(f"{report.counts['labelled']} are labelled; the next is {report.ranking.item_ids[0]}.")
    assert not set(done) & set(report.ranking.pool_order.tolist())


if __name__ == "__main__":
    main()
