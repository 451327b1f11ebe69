"""The database, the dataset and its fields: found, or a clear error that lists what there is."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Iterable, Iterator, Set
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from labelnext.errors import (
    AccessDenied,
    InvalidInput,
    LabelnextError,
    NotFound,
    Unavailable,
    WriteRefused,
    listed,
    unknown,
)
from labelnext.journal.plan import Step
from labelnext_adapters.fiftyone.database.fields import PREFIX, check_flat, frames_of
from labelnext_adapters.fiftyone.database.halves import refresh
from labelnext_adapters.fiftyone.database.mongod import bundled_mongod, remedy

if TYPE_CHECKING:
    from labelnext_adapters.fiftyone.options import FiftyOneSource

_PING_MILLISECONDS = 5000  # FiftyOne itself would wait 30 s for a database that is not there
_ASK_AGAIN = 10.0  # seconds after which a question asks once more whether the database answers
_DENIED = (13, 18, 8000)  # MongoDB: Unauthorized, AuthenticationFailed, Atlas' own

_answers: dict[str | None, tuple[float, bool]] = {}  # by address: until when it counts, and whether


@contextmanager
def talking() -> Iterator[None]:
    """Errors of the database as ours; never with its address, which may hold a password."""
    from pymongo.errors import OperationFailure, PyMongoError

    try:
        yield
    except LabelnextError:
        raise
    except OperationFailure as error:
        if error.code in _DENIED:
            raise AccessDenied(
                "FiftyOne's database must allow reading and writing; it denied access.",
                hint="check the user and password in FIFTYONE_DATABASE_URI.",
            ) from error
        reason = (error.details or {}).get("codeName", type(error).__name__)
        raise Unavailable(f"FiftyOne's database refused a command: {reason}.") from error
    except (PyMongoError, ConnectionError) as error:
        raise Unavailable(
            f"FiftyOne's database didn't answer ({type(error).__name__}).",
            hint="start it, or set FIFTYONE_DATABASE_URI to the right address.",
        ) from error


def reach_database() -> str:
    """Make sure that FiftyOne has a database, before it hangs or half starts; returns which.

    Raises:
        NotFound: if FiftyOne would have to start mongod and has none.
        Unavailable: if the configured database does not answer.
        AccessDenied: if it wants other credentials.
    """
    import fiftyone as fo
    from pymongo import MongoClient

    uri = fo.config.database_uri
    where = "the database of FIFTYONE_DATABASE_URI"
    if uri is not None:
        with talking(), MongoClient(uri, serverSelectionTimeoutMS=_PING_MILLISECONDS) as client:
            client.admin.command("ping")
    elif "FIFTYONE_PRIVATE_DATABASE_PORT" in os.environ:
        where = "the database that a parent process started"
    elif bundled_mongod() is None:
        raise NotFound(
            "mongod must be installed or FIFTYONE_DATABASE_URI be set; neither is.", hint=remedy()
        )
    else:
        where = "FiftyOne's own mongod"
    with _without_deprecation() if uri is None else nullcontext():
        _connect(where)
    return where


def _connect(where: str) -> None:
    """Let FiftyOne connect, which may start mongod and migrate the database."""
    import fiftyone.core.odm as foo

    try:
        with _messages_to_stderr():
            foo.get_db_conn()
    except Exception as error:  # FiftyOne raises half a dozen unrelated classes here
        text = str(error).strip().split("\n")[0]
        safe = "" if "mongodb" in text and "@" in text else f": {text}"
        raise Unavailable(
            f"FiftyOne must be able to open {where}; it failed with {type(error).__name__}{safe}",
            hint="fiftyone.list_datasets() in Python shows the same.",
        ) from error


@contextmanager
def _without_deprecation() -> Iterator[None]:
    """Leave out FiftyOne's remark on the age of the mongod that it started itself."""
    logger = logging.getLogger("fiftyone.core.odm.database")

    def is_news(record: logging.LogRecord) -> bool:
        return "oldest supported major version of MongoDB" not in record.getMessage()

    logger.addFilter(is_news)
    try:
        yield
    finally:
        logger.removeFilter(is_news)


@contextmanager
def _messages_to_stderr() -> Iterator[None]:
    """FiftyOne's logger writes to stdout, where a caller may want JSON and nothing else."""
    handlers = [
        handler
        for handler in logging.getLogger("fiftyone").handlers
        if isinstance(handler, logging.StreamHandler) and handler.stream is sys.stdout
    ]
    for handler in handlers:
        handler.setStream(sys.stderr)
    try:
        yield
    finally:
        for handler in handlers:
            handler.setStream(sys.stdout)


def load_dataset(name: str) -> Any:
    """The dataset of that name.

    Raises:
        NotFound: if there is none; the message lists those that exist.
    """
    import fiftyone as fo

    with talking():
        if not fo.dataset_exists(name):
            near = unknown("dataset", name, fo.list_datasets()).hint
            known = listed(fo.list_datasets(), 20) or "none"
            raise NotFound(
                f"dataset must be one of the database's ({known}); got {name!r}.",
                hint=near
                or "set source.database or FIFTYONE_DATABASE_URI if another database is meant.",
            )
        return fo.load_dataset(name)


def planned_dataset(step: Step, what: str, again: str) -> Any:
    """The dataset for which a step was planned, whatever its name is now.

    Args:
        step: its payload holds the dataset's name and id.
        what: was planned, as "the run was".
        again: what the user can do once more, as "rank".

    Raises:
        NotFound: if there is none of that id or name.
        WriteRefused: if it is another one of that name.
    """
    name = name_now(step.payload["dataset_id"])
    dataset = load_dataset(step.payload["dataset"] if name is None else name)
    with talking():
        refresh(dataset)
    if str(dataset._doc.id) != step.payload["dataset_id"]:
        raise WriteRefused(
            f"dataset {dataset.name} isn't the one that {what} planned for, although it has the "
            "same name.",
            hint=f"check FIFTYONE_DATABASE_URI, or {again} again.",
        )
    return dataset


def name_now(dataset_id: str) -> str | None:
    """The name of the dataset with that id; None if there is none.

    Args:
        dataset_id: as a text; no id at all is that of no dataset.
    """
    import fiftyone.core.odm as foo
    from bson import ObjectId

    if not ObjectId.is_valid(dataset_id):
        return None
    with talking():
        document = foo.get_db_conn().datasets.find_one(
            {"_id": ObjectId(dataset_id)}, {"name": True}
        )
    return None if document is None else str(document["name"])


def names_now(dataset_ids: Set[str]) -> set[str | None]:
    """What `name_now` gives for each; nothing where the database doesn't answer.

    Whether it does is asked once in ten seconds: there may be hundreds of runs to ask for.
    """
    import fiftyone as fo

    uri = fo.config.database_uri
    until, answers = _answers.get(uri, (0.0, False))
    try:
        if time.monotonic() >= until:
            reach_database()
            _answers[uri] = (time.monotonic() + _ASK_AGAIN, True)
        elif not answers:
            return set()
        return {name_now(one) for one in dataset_ids}
    except LabelnextError:
        _answers[uri] = (time.monotonic() + _ASK_AGAIN, False)
        return set()


def source_dataset(source: FiftyOneSource) -> Any:
    """The dataset that a configuration names, whatever view of it."""
    given = source.dataset
    return load_dataset(given) if isinstance(given, str) else given._root_dataset


def source_collection(source: FiftyOneSource) -> Any:
    """What `open_collection` opens, as a configuration names it."""
    return open_collection(source.dataset, source.view, source.slice, source.frames)


def open_collection(
    dataset: object, view: str | None, group_slice: str | None = None, frames: bool = False
) -> Any:
    """The dataset or view that is ranked: a name and a saved view's, or what was handed over.

    Args:
        dataset: its name, or a dataset or view.
        view: name of a saved view.
        group_slice: of a grouped dataset, which samples; those of its default slice when None.
        frames: the frames of its videos, as a view that has an item for each.

    Raises:
        NotFound: if the dataset, the view or the slice does not exist.
        InvalidInput: if it is neither, holds groups or other things than the dataset's own
            samples, or the saved view cannot be loaded.
    """
    import fiftyone as fo

    collection: Any = load_dataset(dataset) if isinstance(dataset, str) else dataset
    if not isinstance(collection, fo.core.collections.SampleCollection):
        raise InvalidInput(
            f"dataset must be a name, a dataset or a view; got {type(dataset).__name__}."
        )
    root = collection._root_dataset
    with talking():
        refresh(root)
    if view is not None:
        with talking():
            if not root.has_saved_view(view):
                known = listed(root.list_saved_views(), 20) or "none"
                raise NotFound(
                    f"view must be a saved view of {root.name} ({known}); got {view!r}.",
                    hint=unknown("view", view, root.list_saved_views()).hint,
                )
            collection = _loaded_view(root, view)
    check_flat(collection, frames=frames)
    samples = _sliced(collection, group_slice)
    with talking():
        return frames_of(samples) if frames else samples


def _loaded_view(dataset: Any, name: str) -> Any:
    try:
        return dataset.load_saved_view(name)
    except (ValueError, TypeError, KeyError, AttributeError) as error:  # of FiftyOne's stages
        reason = str(error).strip().split("\n")[0].rstrip(".")
        raise InvalidInput(
            f"view {name} of {dataset.name} cannot be loaded: {reason}.",
            hint="save it again in FiftyOne, or name another view.",
        ) from error


def _sliced(collection: Any, group_slice: str | None) -> Any:
    """The samples of one slice of a grouped collection, as a view like any other."""
    if collection.media_type != "group":
        if group_slice is not None:
            raise InvalidInput(
                f"slice must be left out where samples are not grouped; got {group_slice!r}."
            )
        return collection
    known = collection._root_dataset.group_slices
    if group_slice is not None and group_slice not in known:
        raise NotFound(f"slice must be one of {listed(known) or 'none'}; got {group_slice!r}.")
    if not known:
        return collection  # which has no samples
    return collection.select_group_slices(group_slice or collection.default_group_slice)


def field_of(collection: Any, option: str, path: str) -> Any:
    """The field of that path.

    Raises:
        NotFound: if there is none; the message lists those that exist.
        InvalidInput: if it is a frame's, or a value of each label in a list.
    """
    if path.startswith(PREFIX):
        raise InvalidInput(
            f"{option} must be a field of what is ranked; got {path!r}.",
            hint=f"frames: true ranks frames, and the field is then {path[len(PREFIX) :]!r}.",
        )
    with talking():
        field = collection.get_field(path)
    if field is None:
        raise _no_field(collection, option, path, collection.get_field_schema())
    parts = path.split(".")
    outer = [".".join(parts[:n]) for n in range(1, len(parts))]
    inside = next((p for p in outer if hasattr(collection.get_field(p), "field")), None)
    if inside is not None:
        whole = inside.rpartition(".")[0]
        raise InvalidInput(
            f"{option} must be one value a sample; got {path!r}, which is in the list {inside}.",
            hint=f"name {whole}." if whole else None,
        )
    return field


def _no_field(collection: Any, option: str, path: str, known: Iterable[str]) -> NotFound:
    near = unknown(option, path, known)
    dataset = collection._root_dataset
    if not collection._is_generated and dataset.get_field(path) is not None:
        return NotFound(
            f"{option} must be a field that the view of {dataset.name} shows "
            f"({listed(sorted(known), 30)}); it leaves {path!r} out.",
            hint="rank the dataset, or a view without select_fields and exclude_fields.",
        )
    return NotFound(
        f"{option} must be a field of {collection._root_dataset.name} "
        f"({listed(sorted(known), 30)}); got {path!r}.",
        hint="it is a field of frames: frames: true ranks these."
        if not collection._is_generated and dataset.get_field(PREFIX + path) is not None
        else near.hint,
    )
