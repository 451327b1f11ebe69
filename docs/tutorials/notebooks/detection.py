# %% [markdown]
# # Hard images for object detection
#
# A detector has stored its boxes with their confidences. Which images should people correct first? You need
# labelnext, without any extra; the boxes are made up. It takes a few seconds.

# %%
import json

import numpy as np

import labelnext

rng = np.random.default_rng(0)
images = []
for number in range(200):
    boxes = []
    for _ in range(rng.poisson(3)):
        x, y = rng.uniform(0, 0.7, 2)
        sure = rng.beta(0.6, 0.6)  # a detector is often certain, either way
        name = str(rng.choice(["car", "bus", "bicycle"], p=[0.7, 0.2, 0.1]))
        box = [float(x), float(y), float(x) + 0.2, float(y) + 0.2]
        boxes.append({"class": name, "confidence": float(sure), "box": box})
    images.append({"item_id": f"street-{number:03d}.jpg", "objects": boxes})

with open("boxes.jsonl", "w") as file:
    file.writelines(json.dumps(image) + "\n" for image in images)

# %% [markdown]
# Each line is an image with its boxes, in fractions of the image. A configuration can be a mapping, as in YAML.

# %%
config = {
    "source": {"adapter": "files", "path": "boxes.jsonl"},
    "selection": {"budget": 10},
    "write": {"output": "ranking.csv"},
    "report": {"path": "report.html"},
}
report = labelnext.run(config)
for row in report.next_items[:5]:
    print(row["rank"], row["item_id"], f"{row['score']:.2f}", row["reason"])

# %% [markdown]
# The default sums the entropy of all boxes, so images where a lot is uncertain come first. Mean object confidence picks
# images whose boxes are uncertain on average. How many of the first ten do they share?

# %%
by_mean = labelnext.run({**config, "acquisition": {"name": "mean_object_confidence"}})
shared = set(report.ranking.item_ids) & set(by_mean.ranking.item_ids)
print(len(shared), "of 10 images are in both batches")

# %% [markdown]
# Open `report.html` to see both batches with their reasons. The [tutorial](../detection.md) does the same with a real
# detector in Label Studio, and [measures](../../detection.md) which function finds its errors.
