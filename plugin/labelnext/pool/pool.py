"""Pool: item ids and prediction columns as arrays, validated once where data enters."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sized
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labelnext.errors import InvalidInput
from labelnext.pool.answers import consensus
from labelnext.pool.checks import (
    checked_costs,
    checked_labels,
    checked_numbers,
    checked_versions,
    checked_votes,
    column_of,
    likeliest_classes,
    mean_of_members,
    n_versions_of,
    rows_of,
)
from labelnext.pool.constructors import FromElsewhere
from labelnext.pool.digest import update
from labelnext.pool.id_order import id_order
from labelnext.pool.merged import merged
from labelnext.pool.named import numbered, positions
from labelnext.pool.objects import Notice as Notice
from labelnext.pool.objects import Objects as Objects
from labelnext.pool.objects import (
    absent_in_all,
    checked_objects,
    checked_whole_items,
    fill,
    note_missing_versions,
)
from labelnext.pool.probabilities import checked_probabilities
from labelnext.pool.summary import summary
from labelnext.pool.texts import (
    checked_classes,
    checked_groups,
    checked_ids,
    checked_metadata,
)


@dataclass(frozen=True, eq=False, init=False)
class Pool(FromElsewhere):
    """The items to choose from, with their predictions, labels and other columns.

    All columns except `item_ids` are optional. Rows that nearly sum to 1 are renormalised, and
    boxes that extend beyond the image are clipped; `notices` counts both.

    Predictions may come from one model version or several; `members`, `object_sets` and the
    properties built on them look the same either way. Versions that skip an item don't count there.

    Args:
        item_ids: shape (n_items,), distinct and not empty; stored as strings.
        probabilities: shape (n_items, n_classes), rows sum to 1 (unless `multilabel`), or
            (n_members, n_items, n_classes) for a committee.
        classes: names of the classes, in the order of the probabilities' columns.
        embeddings: shape (n_items, n_dimensions).
        signatures: shape (n_items, n_dimensions), vectors by whose cosine near-duplicates are
            found, where that isn't by the embeddings.
        labels: shape (n_items,), class positions, −1 for none; or, where `classes` names them,
            the names (numbers where those are, as in a model's `classes_`), None for none.
        votes: shape (n_items, n_people), class chosen by each person, as in `labels`.
        numbers: shape (n_items,), the number that an item is labelled with, NaN for none.
        labelled: shape (n_items,), bool; None: items with a label, vote, number or known `truth`.
        open: shape (n_items,), bool; the items to choose from; when None, those not labelled.
        deferred: shape (n_items,), bool; items that come after all others, whatever their score.
        groups: shape (n_items,), such as a video's name.
        metadata: further columns by name, each of shape (n_items,), stored as texts; "" for None
            and NaN. Quotas can go by them.
        costs: shape (n_items,), the cost of labelling each item, above 0.
        multilabel: the classes are independent, so rows need not sum to 1.
        objects: predicted objects, or a tuple with one entry per model version; with
            `Objects.whole_items`, one confidence per item.
        truth: labelled objects; its `missing` says which items nobody has looked at.
        estimates: shape (n_items,), the number that is predicted of each item, NaN for none.
        versions: names of the model versions, in their order; used only in reports.
        missing: shape (n_items,), items without any prediction; a prediction with no objects is
            not missing. When None, the items missing from all object sets.
        notices: notices from reading the data; one that is found again counts once.

    Raises:
        InvalidInput: if shapes disagree, ids repeat, or a value is out of range.

    Example:
        >>> pool = Pool(["a", "b"], probabilities=[[0.9, 0.1], [0.6, 0.4]], labels=[0, -1])
        >>> pool.labelled
        array([ True, False])
    """

    item_ids: NDArray[np.str_]
    probabilities: NDArray[np.floating] | None
    classes: tuple[str, ...] | None
    embeddings: NDArray[np.floating] | None
    signatures: NDArray[np.floating] | None
    labels: NDArray[np.int64] | None
    votes: NDArray[np.int64] | None
    numbers: NDArray[np.float64] | None
    labelled: NDArray[np.bool_]
    open: NDArray[np.bool_] | None
    deferred: NDArray[np.bool_] | None
    groups: NDArray[np.str_] | None
    metadata: Mapping[str, NDArray[np.str_]] | None
    costs: NDArray[np.float64] | None
    multilabel: bool
    objects: Objects | tuple[Objects, ...] | None
    truth: Objects | None
    estimates: NDArray[np.float64] | None
    versions: tuple[str, ...] | None
    missing: NDArray[np.bool_]
    notices: tuple[Notice, ...]

    def __init__(
        self,
        item_ids: Iterable[object],
        *,
        probabilities: ArrayLike | None = None,
        classes: Iterable[object] | None = None,
        embeddings: ArrayLike | None = None,
        signatures: ArrayLike | None = None,
        labels: ArrayLike | None = None,
        votes: ArrayLike | None = None,
        numbers: ArrayLike | None = None,
        labelled: ArrayLike | None = None,
        open: ArrayLike | None = None,
        deferred: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        metadata: Mapping[str, ArrayLike] | None = None,
        costs: ArrayLike | None = None,
        multilabel: bool = False,
        objects: Objects | tuple[Objects, ...] | None = None,
        truth: Objects | None = None,
        estimates: ArrayLike | None = None,
        versions: Iterable[object] | None = None,
        missing: ArrayLike | None = None,
        notices: Iterable[Notice] = (),
    ) -> None:
        # Long: one parameter and one check for each column.
        ids = checked_ids(item_ids)
        n = len(ids)
        collected = list(notices)
        names = None if classes is None else checked_classes(classes)
        given = tuple(classes) if classes is not None and isinstance(classes, Sized) else ()
        sets = objects if isinstance(objects, tuple) or objects is None else (objects,)
        if sets is not None:
            if not sets:
                raise InvalidInput("objects must hold at least one set; got an empty tuple.")
            sets = tuple(checked_objects("objects", o, ids, collected) for o in sets)
            checked_whole_items(sets, alone=probabilities is None)
        absent: NDArray[np.bool_] = np.full(n, probabilities is None and objects is None)
        if missing is not None:
            absent = column_of("missing", missing, n, np.bool_)
        elif sets is not None and probabilities is None:
            absent = absent_in_all(sets)
        if sets is not None and sets[0].whole_items:
            absent = absent | absent_in_all(sets)
        predicted = None
        if probabilities is not None:
            predicted = checked_probabilities(
                probabilities, ids, names, absent, multilabel, collected
            )
        n_classes = None if names is None else len(names)
        if n_classes is None and predicted is not None and predicted.shape[-1] > 1:
            n_classes = predicted.shape[-1]
        labels = positions("labels", numbered("labels", labels, given), names)
        votes = positions("votes", numbered("votes", votes, given), names)
        classed = None if labels is None else checked_labels(labels, n, n_classes)
        ballots = None if votes is None else checked_votes(votes, n, n_classes)
        done: NDArray[np.bool_] = np.zeros(n, dtype=bool) if classed is None else classed >= 0
        if ballots is not None:
            done = done | (ballots >= 0).any(axis=1)
        said = None if numbers is None else checked_numbers("numbers", numbers, n)
        if said is not None:
            done = done | ~np.isnan(said)
        there = None if truth is None else checked_objects("truth", truth, ids, collected)
        if there is not None:
            done = done | (there.counts > 0 if there.missing is None else ~there.missing)
        if labelled is not None:
            done = column_of("labelled", labelled, n, np.bool_)
        if sets is not None:
            note_missing_versions(sets, absent, ids, collected)
        fill(
            self,
            item_ids=ids,
            probabilities=predicted,
            classes=names,
            embeddings=rows_of("embeddings", embeddings, n, half=True),
            signatures=rows_of("signatures", signatures, n, half=True),
            labels=classed,
            votes=ballots,
            numbers=said,
            labelled=done,
            open=None if open is None else column_of("open", open, n, np.bool_),
            deferred=None if deferred is None else column_of("deferred", deferred, n, np.bool_),
            groups=None if groups is None else checked_groups(groups, n),
            metadata=checked_metadata(metadata, n),
            costs=None if costs is None else checked_costs(costs, ids),
            multilabel=multilabel,
            objects=sets if isinstance(objects, tuple) or sets is None else sets[0],
            truth=there,
            estimates=None if estimates is None else checked_numbers("estimates", estimates, n),
            versions=None if versions is None else checked_versions(versions, predicted, sets),
            missing=absent,
            notices=tuple(n for i, n in enumerate(collected) if n not in collected[:i]),
        )

    def __len__(self) -> int:
        return len(self.item_ids)

    def __repr__(self) -> str:
        return f"<Pool of {summary(self)}>"

    @property
    def candidates(self) -> NDArray[np.bool_]:
        """Whether an item may be labelled next, shape (n_items,)."""
        return ~self.labelled if self.open is None else self.open

    @cached_property
    def tie_order(self) -> NDArray[np.intp]:
        """Positions that sort the items by id, by value if all are integers, else by code point."""
        return id_order(self.item_ids)

    @property
    def n_classes(self) -> int | None:
        """Number of classes, from the names or the probabilities; None without either."""
        if self.classes is not None:
            return len(self.classes)
        if self.probabilities is not None:
            return int(self.probabilities.shape[-1])
        return None

    @property
    def version_names(self) -> tuple[str, ...]:
        """Names of the model versions: as given, else numbers from 1; empty without predictions."""
        if self.versions is not None:
            return self.versions
        n_versions = n_versions_of(self.probabilities, _sets(self.objects))
        return tuple(str(number) for number in range(1, n_versions + 1))

    @property
    def members(self) -> NDArray[np.floating] | None:
        """The probabilities by model version, shape (n_members, n_items, n_classes): a view.

        Example:
            >>> pool = Pool(["a"], probabilities=[[0.9, 0.1]])
            >>> pool.members.shape
            (1, 1, 2)
        """
        columns = self.probabilities
        return columns[None] if columns is not None and columns.ndim == 2 else columns

    @property
    def object_sets(self) -> tuple[Objects, ...]:
        """The detected objects by model version; empty without any."""
        return () if self.answers else _sets(self.objects)

    @cached_property
    def answers(self) -> tuple[Objects, ...]:
        """One confidence per item by model version (`Objects.whole_items`); empty without any."""
        sets = _sets(self.objects)
        return sets if sets and sets[0].whole_items else ()

    @cached_property
    def answer(self) -> Objects | None:
        """One confidence per item, the `consensus` of all versions; None without `answers`."""
        return consensus(self.answers) if self.answers else None

    @property
    def newest_objects(self) -> Objects | None:
        """The objects of the last model version; None without any."""
        return self.object_sets[-1] if self.object_sets else None

    @cached_property
    def newest_versions(self) -> NDArray[np.intp]:
        """Position in `object_sets` of each item's newest prediction, shape (n_items,), or −1."""
        newest: NDArray[np.intp] = np.full(len(self), -1, dtype=np.intp)
        for version, objects in enumerate(self.object_sets):
            newest[... if objects.missing is None else ~objects.missing] = version
        return newest

    @cached_property
    def shown_objects(self) -> Objects | None:
        """The objects of each item in the newest version that predicted it; None without any.

        The last version's own if it covers every item.
        """
        newest = self.newest_objects
        if newest is None or newest.missing is None or not newest.missing.any():
            return newest
        return merged(
            [
                objects.where((self.newest_versions == version)[objects.item_positions])
                for version, objects in enumerate(self.object_sets)
            ]
        )

    @cached_property
    def mean_probabilities(self) -> NDArray[np.floating] | None:
        """Mean over the members that predicted each item, shape (n_items, n_classes).

        Members with NaN for an item are left out; the mean is NaN if none is left. With one
        member, its own array. None without probabilities.

        Example:
            >>> nan = float("nan")
            >>> two = [[[1, 0], [1, 0]], [[0.5, 0.5], [nan, nan]]]
            >>> Pool(["a", "b"], probabilities=two).mean_probabilities.tolist()
            [[0.75, 0.25], [1.0, 0.0]]
        """
        members = self.members
        if members is None or self.probabilities is None:
            return None
        if len(members) != 1:
            return mean_of_members(members)
        return self.probabilities if self.probabilities.ndim == 2 else members[0]

    @cached_property
    def top_classes(self) -> NDArray[np.int64] | None:
        """One class per item, for quotas and counts.

        The class with the largest mean probability, also when classes are independent; without
        probabilities, the class of the item's `answer`, or of the most confident object in
        `shown_objects`.

        Returns:
            Shape (n_items,), class positions, −1 for none; None if no classes are predicted.

        Example:
            >>> seen = Objects([0, 2, 2], [0.4, 0.9], class_ids=[0, 1])
            >>> Pool(["a", "b"], objects=seen).top_classes.tolist()
            [1, -1]
        """
        if self.mean_probabilities is not None:
            return likeliest_classes(self.mean_probabilities)
        if self.answer is not None:
            return self.answer.top_classes
        return None if self.shown_objects is None else self.shown_objects.top_classes

    @property
    def top_names(self) -> NDArray[np.str_] | None:
        """The names of `top_classes`, or their numbers in a pool without names; "" for none."""
        if self.top_classes is None:
            return None
        names = self.classes or map(str, range(int(self.top_classes.max(initial=-1)) + 1))
        return np.array([*names, ""])[self.top_classes]

    @property
    def predicted_classes(self) -> NDArray[np.int64]:
        """The predicted class of each item, shape (n_items,).

        The same as `top_classes` for items with mutually exclusive classes; −1 otherwise, as for
        independent classes and objects.
        """
        unanswered = self.probabilities is None and self.answer is None
        if self.top_classes is None or unanswered or self.multilabel:
            return np.full(len(self), -1, dtype=np.int64)
        return self.top_classes

    def fingerprint(self) -> str:
        """SHA-256 of all columns, independent of the order of the items."""
        digest = hashlib.sha256()
        for f in fields(self):
            value = getattr(self, f.name)
            if f.name in ("notices", "versions") or value is None:
                continue
            digest.update(f.name.encode())
            for part in value if isinstance(value, tuple) and f.name != "classes" else (value,):
                update(digest, part, self.tie_order)
        return digest.hexdigest()


def must_be_pool(pool: object) -> None:
    """Refuse anything but a pool.

    Raises:
        InvalidInput: which says how to make one.
    """
    if not isinstance(pool, Pool):
        raise InvalidInput(
            f"pool must be a Pool; got {type(pool).__name__}.",
            hint="labelnext.Pool(item_ids, probabilities=…) makes one of arrays, and "
            "labelnext.Pool.from_pandas(…) of a table.",
        )


def _sets(objects: Objects | tuple[Objects, ...] | None) -> tuple[Objects, ...]:
    if objects is None:
        return ()
    return objects if isinstance(objects, tuple) else (objects,)
