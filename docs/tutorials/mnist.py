"""Easy active learning on MNIST: from a model's predictions to the next 100 images to label.

Usage:
    python mnist.py                  # MNIST from OpenML, into FiftyOne
    python mnist.py --data digits    # scikit-learn's digits: small, no download
    export LABEL_STUDIO_API_KEY=…
    python mnist.py --label-studio http://localhost:8080   # and into Label Studio
"""

# --8<-- [start:data]
from __future__ import annotations

import argparse
import base64
import gzip
import io
import os
from pathlib import Path

import numpy as np


def load(source: str) -> tuple[np.ndarray, np.ndarray]:
    """Images, shape (n, height, width), values 0 to 255, and the digit of each."""
    if source == "digits":
        from sklearn.datasets import load_digits

        digits = load_digits()
        return (digits.images * 255 / 16).astype(np.uint8), digits.target
    if source == "openml":
        from sklearn.datasets import fetch_openml

        pixels, labels = fetch_openml("mnist_784", return_X_y=True, as_frame=False)
        return pixels.reshape(-1, 28, 28).astype(np.uint8), labels.astype(int)
    folder = Path(source)  # holds the gzip files of the MNIST page
    images = gzip.decompress(next(folder.glob("*images-idx3-ubyte.gz")).read_bytes())
    labels = gzip.decompress(next(folder.glob("*labels-idx1-ubyte.gz")).read_bytes())
    return (
        np.frombuffer(images, np.uint8, offset=16).reshape(-1, 28, 28),
        np.frombuffer(labels, np.uint8, offset=8).astype(int),
    )


# --8<-- [end:data]


# --8<-- [start:train]
def predict(images: np.ndarray, labels: np.ndarray, labelled: np.ndarray, trees: int) -> np.ndarray:
    """Class probabilities of all images, by a random forest trained on the labelled ones."""
    from sklearn.ensemble import RandomForestClassifier

    pixels = images.reshape(len(images), -1) / 255
    forest = RandomForestClassifier(trees, n_jobs=-1, random_state=0)
    forest.fit(pixels[labelled], labels[labelled])
    return forest.predict_proba(pixels)


# --8<-- [end:train]


# --8<-- [start:fiftyone]
def make_dataset(name, paths, labels, labelled, probabilities):
    """A FiftyOne dataset: labels for the labelled images, predictions for the others."""
    import fiftyone as fo

    if fo.dataset_exists(name):
        fo.delete_dataset(name)
    dataset = fo.Dataset(name, persistent=True)
    dataset.default_classes = [str(digit) for digit in range(10)]
    known = set(labelled.tolist())
    samples = []
    for i, path in enumerate(paths):
        sample = fo.Sample(filepath=str(path), name=path.name)
        if i in known:
            sample["ground_truth"] = fo.Classification(label=str(labels[i]))
        else:
            sample["prediction"] = fo.Classification(
                label=str(probabilities[i].argmax()),
                confidence=float(probabilities[i].max()),
                probabilities=probabilities[i],
            )
        samples.append(sample)
    dataset.add_samples(samples)
    return dataset


CONFIG = """\
source:
  adapter: fiftyone
  dataset: {dataset}
  key: name
  pred_field: prediction
  gt_field: ground_truth
acquisition: {{name: entropy}}
selection: {{budget: 100}}
"""
# --8<-- [end:fiftyone]


# --8<-- [start:label-studio]
SETUP = """\
<View><Image name="image" value="$image"/>
<Choices name="digit" toName="image" choice="single">{choices}</Choices></View>
""".format(choices="".join(f'<Choice value="{digit}"/>' for digit in range(10)))


def make_project(url, key, paths, labels, labelled, probabilities) -> int:
    """A Label Studio project; value.probs holds the probabilities of each prediction."""
    from label_studio_sdk import LabelStudio

    client = LabelStudio(base_url=url, api_key=key)
    project = client.projects.create(title="Easy active learning on MNIST", label_config=SETUP)
    known = set(labelled.tolist())
    tasks = []
    for i, path in enumerate(paths):
        png = base64.b64encode(path.read_bytes()).decode()
        task = {"data": {"image": f"data:image/png;base64,{png}", "name": path.name}}
        region = {"from_name": "digit", "to_name": "image", "type": "choices"}
        if i in known:
            value = {"choices": [str(labels[i])]}
            task["annotations"] = [{"result": [{**region, "value": value}]}]
        else:
            best = str(probabilities[i].argmax())
            probs = {str(d): float(p) for d, p in enumerate(probabilities[i])}
            value = {"choices": [best], "probs": probs}
            result = [{**region, "score": float(probabilities[i].max()), "value": value}]
            task["predictions"] = [{"model_version": "forest", "result": result}]
        tasks.append(task)
    client.projects.import_tasks(id=project.id, request=tasks)
    return project.id


LABEL_STUDIO_CONFIG = """\
source:
  adapter: label-studio
  url: {url}
  api_key: ${{LABEL_STUDIO_API_KEY}}
  project: {project}
  key: name
acquisition: {{name: entropy}}
selection: {{budget: 100}}
state: .labelnext-label-studio
report: {{path: label-studio-report.html}}
"""
# --8<-- [end:label-studio]


# --8<-- [start:picture]
def picture(path: Path, folder: Path, ranking) -> None:
    """The next 100 images, ten by ten, each with its entropy."""
    from matplotlib.figure import Figure
    from PIL import Image

    figure = Figure(figsize=(8, 9))
    for number, row in enumerate(ranking.to_rows()[:100]):
        axes = figure.add_subplot(10, 10, number + 1)
        axes.imshow(Image.open(folder / row["item_id"]), cmap="gray")
        axes.set_title(f"{row['score']:.2f}", fontsize=7, pad=2)
        axes.axis("off")
    figure.subplots_adjust(0.01, 0.01, 0.99, 0.97, 0.05, 0.35)
    figure.savefig(path, dpi=80)


# --8<-- [end:picture]


# --8<-- [start:simulation]
SIMULATION = """\
source: {{adapter: files, path: labelled.npz}}
replay:
  strategies: [entropy, least_confidence, margin, variance]
  model: sklearn.ensemble.RandomForestClassifier
  model_options: {{n_estimators: {trees}}}
  initial: {initial}
  batch: {batch}
  rounds: {rounds}
  seeds: {seeds}
  test_size: 0.16667     # of 6,000 images: a pool of 5,000, and 1,000 to measure on
"""
# --8<-- [end:simulation]


def write_images(folder: Path, images: np.ndarray) -> list[Path]:
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{i:05d}.png" for i in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "PNG")
        path.write_bytes(buffer.getvalue())
    return paths


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="openml", help="openml, digits, or a folder")
    parser.add_argument("--folder", type=Path, default=Path("mnist-tutorial"))
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--labelled", type=int, default=5_000)
    parser.add_argument("--trees", type=int, default=500)
    parser.add_argument("--label-studio", metavar="URL")
    parser.add_argument("--dataset", default="mnist-tutorial")
    parser.add_argument("--seeds", type=int, default=0, help="of the simulation; 0 leaves it out")
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()

    import labelnext

    images, labels = load(arguments.data)
    images, labels = images[: arguments.images], labels[: arguments.images]
    n_labelled = min(arguments.labelled, len(images) // 2)
    labelled = np.sort(np.random.default_rng(0).permutation(len(images))[:n_labelled])
    probabilities = predict(images, labels, labelled, arguments.trees)
    folder = arguments.folder
    paths = write_images(folder / "images", images)

    dataset = make_dataset(
        arguments.dataset, [p.absolute() for p in paths], labels, labelled, probabilities
    )
    config = folder / "fiftyone.yaml"
    config.write_text(CONFIG.format(dataset=dataset.name))
    report = labelnext.run(config)
    print(report)
    picture(folder / "next-100.png", folder / "images", report.ranking)

    if arguments.label_studio:
        key = os.environ["LABEL_STUDIO_API_KEY"]
        project = make_project(arguments.label_studio, key, paths, labels, labelled, probabilities)
        config = folder / "label-studio.yaml"
        config.write_text(LABEL_STUDIO_CONFIG.format(url=arguments.label_studio, project=project))
        print(labelnext.run(config))

    if arguments.seeds:
        np.savez(
            folder / "labelled.npz",
            item_ids=np.arange(len(images))[:6000],
            embeddings=images.reshape(len(images), -1)[:6000] / 255,
            labels=labels[:6000],
            classes=[str(digit) for digit in range(10)],
        )
        share = min(len(images), 6000) / 6000
        config = folder / "simulation.yaml"
        config.write_text(
            SIMULATION.format(
                trees=arguments.trees,
                initial=int(500 * share),
                batch=int(300 * share),
                rounds=arguments.rounds,
                seeds=arguments.seeds,
            )
        )
        print(labelnext.replay(config).advice)


if __name__ == "__main__":
    main()
