"""Diversity sampling without a model: what to label first when nothing is labelled yet.

Usage:
    python diversity.py              # scikit-learn's digits, into FiftyOne
    export LABEL_STUDIO_API_KEY=…
    python diversity.py --label-studio http://localhost:8080   # and on to Label Studio
"""

# --8<-- [start:embeddings]
from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np


def embed(images: np.ndarray, dimensions: int = 16) -> np.ndarray:
    """A stand-in for a neural network's embeddings: the principal components of the pixels."""
    from sklearn.decomposition import PCA

    return PCA(dimensions, random_state=0).fit_transform(images.reshape(len(images), -1))


# --8<-- [end:embeddings]


# --8<-- [start:fiftyone]
def make_dataset(name: str, paths: list[Path], embeddings: np.ndarray, labels: dict[int, str]):
    """A FiftyOne dataset with embeddings, and labels for a few images only."""
    import fiftyone as fo

    if fo.dataset_exists(name):
        fo.delete_dataset(name)
    dataset = fo.Dataset(name, persistent=True)
    dataset.default_classes = [str(digit) for digit in range(10)]  # k is the number of classes
    dataset.add_samples(
        [
            fo.Sample(
                filepath=str(path),
                name=path.name,
                embedding=vector,
                ground_truth=fo.Classification(label=labels[i]) if i in labels else None,
            )
            for i, (path, vector) in enumerate(zip(paths, embeddings, strict=True))
        ]
    )
    return dataset


CONFIG = """\
source:
  adapter: fiftyone
  dataset: {dataset}
  key: name
  gt_field: ground_truth      # labelled images are left out
  embeddings: embedding
acquisition: {{name: null}}     # no model, no score
selection: {{method: {method}, budget: {budget}}}
write: {{run: {run}}}
state: .labelnext-{run}
report: {{path: {run}-report.html}}
"""
# --8<-- [end:fiftyone]


# --8<-- [start:clusters]
def clusters_of(embeddings: np.ndarray, k: int = 10) -> np.ndarray:
    """The clusters of Image Diversity, computed by scikit-learn from the same seed."""
    from sklearn.cluster import KMeans

    return KMeans(k, n_init=1, random_state=0).fit_predict(embeddings)


# --8<-- [end:clusters]

# --8<-- [start:label-studio]
SEND = """\
send:
  url: {url}
  api_key: ${{LABEL_STUDIO_API_KEY}}
"""
# --8<-- [end:label-studio]


# --8<-- [start:picture]
def picture(path: Path, folder: Path, rankings: dict[str, list[str]]) -> None:
    """The first 20 of each method, one row each."""
    from matplotlib.figure import Figure
    from PIL import Image

    figure = Figure(figsize=(10, 0.8 * len(rankings) + 0.3))
    for row, (method, names) in enumerate(rankings.items()):
        for place, name in enumerate(names[:20]):
            axes = figure.add_subplot(len(rankings), 20, 20 * row + place + 1)
            axes.imshow(Image.open(folder / name), cmap="gray_r")
            axes.set_xticks([])
            axes.set_yticks([])
            if place == 0:
                axes.set_title(method, loc="left", fontsize=8)
    figure.subplots_adjust(0.005, 0.02, 0.995, 0.85, 0.1, 0.5)
    figure.savefig(path, dpi=110)


# --8<-- [end:picture]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("diversity-tutorial"))
    parser.add_argument("--dataset", default="diversity-tutorial")
    parser.add_argument("--label-studio", metavar="URL")
    arguments = parser.parse_args()

    from PIL import Image
    from sklearn.datasets import load_digits

    import labelnext

    digits = load_digits()
    folder = arguments.folder / "images"
    folder.mkdir(parents=True, exist_ok=True)
    paths = [(folder / f"{i:04d}.png").absolute() for i in range(len(digits.images))]
    for path, image in zip(paths, digits.images, strict=True):
        Image.fromarray((image * 255 / 16).astype(np.uint8)).save(path)
    labels = {i: str(digits.target[i]) for i in range(5)}
    embeddings = embed(digits.images)
    dataset = make_dataset(arguments.dataset, paths, embeddings, labels)

    rankings = {}
    for method in ("image_diversity", "typiclust"):
        config = arguments.folder / f"{method}.yaml"
        text = CONFIG.format(dataset=dataset.name, method=method, budget=20, run=method)
        config.write_text(text)
        report = labelnext.run(config)
        print(report)
        rankings[method] = report.ranking.item_ids.tolist()
    if arguments.label_studio:
        config = arguments.folder / "image_diversity.yaml"
        with config.open("a") as file:
            file.write(SEND.format(url=arguments.label_studio))
        labelnext.send(config)
    chance = np.random.default_rng(0).permutation(np.arange(5, len(paths)))[:20]
    rankings["random"] = [paths[i].name for i in chance]
    clusters = clusters_of(embeddings[len(labels) :])  # of what is not labelled
    for method, names in rankings.items():
        first = [int(Path(name).stem) for name in names[:10]]
        seen = {clusters[i - len(labels)] for i in first}
        shown = {digits.target[i] for i in first}
        print(f"{method}: the first 10 are of {len(seen)} clusters and show {len(shown)} digits")
    picture(arguments.folder / "first-20.png", folder, rankings)


if __name__ == "__main__":
    main()
