"""Class probabilities as they enter a pool: checked, renormalised, their gaps named."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labelnext.errors import InvalidInput, listed
from labelnext.pool.checks import BOTH_COLUMNS, distributions, float_array, unit_interval
from labelnext.pool.objects import Notice, missing_versions
from labelnext.support.words import counted


def checked_probabilities(
    probabilities: ArrayLike,
    ids: NDArray[np.str_],
    classes: tuple[str, ...] | None,
    missing: NDArray[np.bool_],
    multilabel: bool,
    notices: list[Notice],
) -> NDArray[np.floating]:
    """Probabilities that sum to 1, and notices of the items whose didn't or have none.

    Args:
        probabilities: shape (n_items, n_classes) or (n_members, n_items, n_classes).
        ids: of the items.
        classes: names of the columns, if known.
        missing: shape (n_items,), items without a prediction; their rows become NaN.
        multilabel: the classes are independent, so rows need not sum to 1.
        notices: what is found is added here.

    Returns:
        The same shape.

    Raises:
        InvalidInput: if shapes disagree or a value is out of range.
    """
    array = float_array("probabilities", probabilities)
    n = len(ids)
    if array.ndim not in (2, 3) or array.shape[-2] != n:
        raise InvalidInput(
            f"probabilities must be of shape ({n}, n_classes) or (n_members, {n}, n_classes); "
            f"got shape {array.shape}.",
            hint=BOTH_COLUMNS if array.ndim == 1 else None,
        )
    array = np.ascontiguousarray(array)  # the last digit of a sum depends on the layout
    if classes is not None and len(classes) != array.shape[-1]:
        raise InvalidInput(
            f"classes must have one name for each of the {array.shape[-1]} columns of "
            f"probabilities; got {len(classes)}."
        )
    if missing.any():
        array = np.array(array)
        array[..., missing, :] = np.nan
    members = array[None] if array.ndim == 2 else array
    out, adjusted = members, np.zeros(n, dtype=bool)
    for m, member in enumerate(members):
        if multilabel:
            rows = np.minimum(unit_interval("probabilities", member, ids), 1)
        else:
            rows, off = distributions(member, ids)
            adjusted |= off
        if rows is not member:
            out = np.array(out) if out is members else out
            out[m] = rows
    if adjusted.any():
        message = (
            f"Renormalised {counted(adjusted.sum(), 'item')} whose probabilities didn't sum to 1."
        )
        notices.append(Notice("renormalised", message, tuple(ids[adjusted].tolist())))
    _note_gaps(out, ids, missing, notices)
    return out.reshape(array.shape)


def _note_gaps(
    members: NDArray[np.floating],
    ids: NDArray[np.str_],
    missing: NDArray[np.bool_],
    notices: list[Notice],
) -> None:
    """Name the items that have no row in some or all members, unless they are known as missing."""
    absent = np.isnan(np.einsum("mic->mi", members)) & ~missing
    bad, some = absent.all(axis=0), absent.any(axis=0)
    unread = [n for n in notices if n.code == "left_out" and n.column == "probabilities"]
    told = {item for notice in unread for item in notice.item_ids}
    if items := tuple(item for item in ids[bad].tolist() if item not in told):
        message = f"No score for {counted(len(items), 'item')} without all probabilities: "
        notices.append(Notice("nan", f"{message}{listed(items)}.", items))
    if (some & ~bad).any():
        fewer = ids[some & ~bad]
        n_alone = int(((~np.isnan(members).any(axis=2)).sum(axis=0) == 1).sum())
        notices.append(missing_versions(fewer, len(members), n_alone))
