"""The ranking of a pool that was read in parts: its batch, read back."""

from __future__ import annotations

import json
from pathlib import Path

from labelnext.errors import InvalidInput, NotFound
from labelnext.ranking.ranking import Ranking, batch_ranking
from labelnext.support.store import MANIFEST, Store

HOW = ("acquisition", "of", "direction", "selection", "seed")  # in the manifest, of a Ranking


def published_batch(place: Path | str, run: str) -> Ranking:
    """The batch of the ranking that stands there.

    Args:
        place: a folder or URL; see `output_place`.
        run: name of the run.

    Returns:
        A ranking of the batch alone.

    Raises:
        NotFound: if no ranking of that run stands there.
        InvalidInput: if its manifest does not name a whole batch.
    """
    store = Store(place)
    manifest = store.read_bytes(MANIFEST)
    found = None if manifest is None else json.loads(manifest)
    if found is None or found["run"] != run:
        stands = "there is none" if found is None else f"the one there is of {found['run']!r}"
        raise NotFound(
            f"run must be of the ranking in {str(place)!r}; got {run!r}, and {stands}.",
            hint="run labelnext run first, or set write.run and write.output to those of the run.",
        )
    content = store.read_bytes(found["batch"]["path"])
    rows = [json.loads(line) for line in (content or b"").splitlines()]
    if content is None or len(rows) != found["batch"]["rows"]:
        raise InvalidInput(f"{found['batch']['path']} in {str(place)!r} must be whole; it is not.")
    return batch_ranking(rows, **{name: found[name] for name in HOW if name in found})
