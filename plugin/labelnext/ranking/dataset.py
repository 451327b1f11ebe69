"""Reads back the batch of a pool that was ranked in parts."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from labelnext.errors import InvalidInput, NotFound
from labelnext.ranking.ranking import Ranking, batch_ranking
from labelnext.support.started import CONFIG, how
from labelnext.support.store import MANIFEST, Store, manifest_of

HOW = ("acquisition", "of", "direction", "selection", "seed")  # Ranking fields in the manifest


def published_batch(place: Path | str, run: str) -> Ranking:
    """The batch of a published ranking.

    Args:
        place: a folder or URL; see `output_place`.
        run: name of the run.

    Returns:
        A ranking of the batch alone.

    Raises:
        NotFound: if there is no ranking of that run.
        InvalidInput: if the batch file is incomplete.
    """
    store = Store(place)
    content = store.read_bytes(MANIFEST)
    manifest = None if content is None else manifest_of(content)
    if manifest is None or manifest.get("run") != run:
        other = None if manifest is None else manifest.get("run")
        stored = "no ranking" if manifest is None else f"the ranking of run {other!r}"
        raise NotFound(
            f"{str(place)!r} has {stored}, not that of run {run!r}.",
            hint=f"run {how('run', CONFIG)} first, or set write.run and write.output to those of "
            "the run.",
        )
    path = manifest["batch"]["path"]
    with suppress(ValueError, LookupError, TypeError):  # damaged
        items = [json.loads(line) for line in (store.read_bytes(path) or b"").splitlines()]
        if len(items) == manifest["batch"]["rows"]:
            return batch_ranking(items, **{n: manifest[n] for n in HOW if n in manifest})
    raise InvalidInput(
        f"{path} in {str(place)!r} is incomplete.", hint=f"run {how('run', CONFIG)} again."
    )
