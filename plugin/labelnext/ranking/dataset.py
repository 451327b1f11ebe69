"""Reads back the batch of a pool that was ranked in parts."""

from __future__ import annotations

import json
from pathlib import Path

from labelnext.errors import InvalidInput, NotFound
from labelnext.ranking.ranking import Ranking, batch_ranking
from labelnext.support.started import CONFIG, how
from labelnext.support.store import MANIFEST, Store

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
    manifest = None if content is None else json.loads(content)
    if manifest is None or manifest["run"] != run:
        stored = "no ranking" if manifest is None else f"the ranking of run {manifest['run']!r}"
        raise NotFound(
            f"{str(place)!r} has {stored}, not that of run {run!r}.",
            hint=f"run {how('run', CONFIG)} first, or set write.run and write.output to those of "
            "the run.",
        )
    batch = store.read_bytes(manifest["batch"]["path"])
    items = [json.loads(line) for line in (batch or b"").splitlines()]
    if batch is None or len(items) != manifest["batch"]["rows"]:
        raise InvalidInput(f"{manifest['batch']['path']} in {str(place)!r} is incomplete.")
    return batch_ranking(items, **{name: manifest[name] for name in HOW if name in manifest})
