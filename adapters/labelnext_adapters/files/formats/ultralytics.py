"""Results of Ultralytics: to_json(), to_df() and to_csv()."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from labelnext.adapter.formats import Format
from labelnext.adapter.protocol import Context
from labelnext.adapter.sample import Sample
from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext_adapters.files.vision.options import DetectionOptions

_ENDINGS = (".json", ".csv")


def read(path: Path | str, options: DetectionOptions, context: Context) -> Pool:
    """The images, with their detections as objects, or with the scores of their classes.

    Raises:
        InvalidInput: if the file doesn't say which image a detection is from, or is broken.
    """
    from labelnext_adapters.files.vision import ultralytics
    from labelnext_adapters.files.vision.documents import WHOLE, documents

    path = Path(path)
    is_one, load = ultralytics.is_one, ultralytics.load
    results = documents(path, is_one, load=load, endings=_ENDINGS)
    one_file = path.is_file()
    stem_given = next((one.name for one in results if one.name), None) or path.stem
    stem = None if ".csv" in path.suffixes else str(stem_given)
    nameless = one_file and len(results) == 1 and results[0].place == WHOLE
    results = ultralytics.images_in(results, context.key, one_file=one_file, stem=stem)
    pool = ultralytics.read_results(results, options, context.key)
    if not nameless or [one.place for one in results] != [WHOLE]:
        return pool
    message = (
        f"The file doesn't name its image, so all its detections are of one item, {stem!r}; a "
        "file of several images must say which one each detection is from."
    )
    return replace(pool, notices=(*pool.notices, Notice("named_by_file", message)))


def evidence(sample: Sample) -> str | None:
    """Whether records have name, class and confidence, with a number for the class."""
    if sample.may_hold_json:
        from labelnext_adapters.files.vision import ultralytics
        from labelnext_adapters.files.vision.documents import first_documents

        for one in first_documents(sample, ultralytics.is_one):
            if ultralytics.is_one(one.value) and one.value:
                return "its records have name, class and confidence, as of to_json()"
    table = sample
    if sample.is_folder:
        names = [name for name in sample.names if name.lower().endswith(".csv")]
        table = Sample(sample.path / names[0]) if names else sample
    boxed = any(name.startswith("box") for name in table.header)
    if boxed and {"name", "class", "confidence"} < table.header:
        return "its columns are name, class, confidence and box, as of to_csv()"
    return None


FORMAT = Format(
    "ultralytics",
    "results of Ultralytics by to_json(), to_df() or to_csv(): a folder with a file for each "
    "image, a list of lists, or an object of names and lists",
    (),
    DetectionOptions,
    read,
    evidence=evidence,
    recognised_by="records with name, class and confidence",
)
