"""The settings that a file itself shows, for `labelnext init`."""

from __future__ import annotations

from typing import Any

from labelnext.errors import LabelnextError
from labelnext.pool.pool import Pool
from labelnext_adapters.files.formats.images import FORMAT as IMAGES
from labelnext_adapters.files.read import Input, read_pool
from labelnext_adapters.files.tables.not_scores import MAYBE_LOGIT, MAYBE_LOGITS
from labelnext_adapters.files.tables.vectors import NotProbabilities


def settings_seen(files: Input) -> dict[str, Any]:
    """Keys of `source` that its content asks for; empty if it needs none, or can't be read.

    Args:
        files: what is read; of a folder of files, the first.
    """
    if files.format is IMAGES:
        return {"model": "probe", "embeddings": {"from": "images"}}
    try:
        pool = _sample(files)
    except NotProbabilities as error:
        return dict(error.settings)
    except LabelnextError:
        return {}  # `check` says what is wrong
    kinds = {notice.code for notice in pool.notices}
    if MAYBE_LOGIT in kinds:
        return {"logits": "sigmoid"}
    return {"logits": "softmax"} if MAYBE_LOGITS in kinds else {}


def _sample(files: Input) -> Pool:
    if files.in_parts is None:
        return read_pool(files)
    return files.in_parts.read_part(files.in_parts.parts()[0])[0]
