"""Pickles of numpy arrays and plain containers, read without running anything they hold."""

from __future__ import annotations

import io
import pickle
import pickletools
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from labelnext.errors import InvalidInput
from labelnext_adapters.files.content.content import read_bytes
from labelnext_adapters.files.content.doubled import Doubled, marked

_DTYPE = re.compile(r"[<>|=]?[biufSU]\d{1,4}|[<>|=]?\?")
_DEEPEST = 30
_MOST = 50_000_000  # values, each counted as often as it is reached
_ZLIB = (b"x\x01", b"x^", b"x\x9c", b"x\xda")  # how joblib compresses by itself
_JOBLIB = (
    "save them by numpy: scores = joblib.load(FILE); "
    "numpy.savez('predictions.npz', item_ids=ids, probabilities=scores)."
)
_TORCH = (
    "convert it where it was made: import json, torch; results = torch.load('results.pt'); "
    "json.dump({name: {k: v.tolist() for k, v in r.items()} for name, r in results.items()}, "
    "open('results.json', 'w'))"
)
_CURES = {
    "torch": _TORCH,
    "pandas": "write it as Parquet: pandas.read_pickle(FILE).to_parquet('predictions.parquet').",
}


def load_pickle(path: Path) -> Any:
    """What a pickle holds: plain containers, with arrays as lists and keys as text.

    Keys that are the same as text, as 1 and "1", are there twice, as `doubled.loads` has them.

    Only numpy arrays and plain containers are built, by our own stand-ins: no function that a
    pickle names is ever looked up.

    Raises:
        InvalidInput: if it is broken, or needs anything else.
    """
    data = read_bytes(path)
    if data.startswith(b"PK"):
        raise InvalidInput("files of torch.save() aren't read.", hint=_TORCH)
    if b"joblib.numpy_pickle" in data or data[:2] in _ZLIB:
        raise InvalidInput("arrays of joblib.dump() aren't read.", hint=_JOBLIB)
    _check(data)
    try:
        value = _Unpickler(io.BytesIO(data)).load()
    except InvalidInput:
        raise
    except MemoryError:
        raise
    except Exception:  # a broken pickle raises whatever its bytes lead to
        raise _broken() from None
    plain = _Plain()
    made = plain.of(value)
    return marked(made) if plain.doubled else made


def _broken() -> InvalidInput:
    return InvalidInput(
        "the file must be a whole pickle; it is cut off or damaged.", hint="write it again."
    )


def _check(data: bytes) -> None:
    """Refuse what would fill the memory before it is read."""
    n_operations = 0
    try:
        for operation, argument, _ in pickletools.genops(data):
            n_operations += 1
            if "PUT" in operation.name and int(argument or 0) > n_operations:
                raise _broken()
    except InvalidInput:
        raise
    except Exception:  # as above
        raise _broken() from None


class _Kind:
    """Stands for numpy's dtype."""

    def __init__(self, text: Any = "O", *_: Any) -> None:
        self.text = text if isinstance(text, str) else ""
        self.order = ""

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, tuple) and len(state) > 1 and state[1] in ("<", ">", "|", "="):
            self.order = state[1]

    def dtype(self) -> np.dtype[Any] | None:
        """The dtype of plain numbers or text; None for objects."""
        if self.text.lstrip("<>|=").startswith("O"):
            return None
        if not _DTYPE.fullmatch(self.text):
            raise InvalidInput(
                f"arrays must hold numbers or text; got the type {self.text[:40]!r}."
            )
        return np.dtype(self.order + self.text.lstrip("<>|="))


def _dtype(kind: Any) -> np.dtype[Any] | None:
    if not isinstance(kind, _Kind):
        raise InvalidInput("an array must have a type.")
    return kind.dtype()


class _Array:
    """Stands for a numpy array."""

    def __init__(self, *_: Any) -> None:
        self.values: Any = []

    def __setstate__(self, state: Any) -> None:
        _, shape, kind, in_columns, raw = state
        self.fill(raw, kind, shape, "F" if in_columns else "C")

    def fill(self, raw: Any, kind: Any, shape: Any, order: str) -> None:
        """Take the values of an array as lists."""
        dtype = _dtype(kind)
        if dtype is None:
            self.values = raw
            return
        array = np.frombuffer(raw, dtype).reshape(shape, order="F" if order == "F" else "C")
        self.values = array.tolist()


def _array_from_buffer(raw: Any, kind: Any, shape: Any, order: Any) -> _Array:
    array = _Array()
    array.fill(raw, kind, shape, order)
    return array


def _scalar(kind: Any, raw: Any) -> Any:
    return np.frombuffer(raw, _dtype(kind))[0].item()


def _no_bytes(*arguments: Any) -> bytes:
    if arguments:
        raise InvalidInput("bytes must be written as they are.")
    return b""


def _mapping(pairs: Any = ()) -> dict[Any, Any]:
    _plain_keys(key for key, _ in pairs)
    return dict(pairs)


def _latin(text: str, encoding: str = "latin1") -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise InvalidInput(f"bytes must be encoded in latin1; got {encoding!r:.40}.")
    return text.encode("latin1")


class _Nothing:
    """Stands for a class that is only named."""


_STAND_INS: dict[str, Callable[..., Any] | type] = {
    "numpy.ndarray": _Nothing,
    "numpy.dtype": _Kind,
    "multiarray._reconstruct": _Array,
    "multiarray.scalar": _scalar,
    "numeric._frombuffer": _array_from_buffer,
    "_codecs.encode": _latin,
    "__builtin__.bytes": _no_bytes,
    "builtins.bytes": _no_bytes,
    "collections.OrderedDict": _mapping,
}


def _plain_keys(keys: Iterable[Any]) -> None:
    """Refuse keys whose hash could take for ever, such as tuples of tuples."""
    if not all(key is None or isinstance(key, str | bytes | int | float) for key in keys):
        raise InvalidInput("the keys of a pickle must be text or numbers.")


_PYTHON: Any = pickle._Unpickler  # the one in Python, whose steps can be looked at


def _checked(code: bytes, keys: slice) -> Callable[[Any], None]:
    """A step of the unpickler that first looks at the keys on its stack."""
    original = _PYTHON.dispatch[code[0]]

    def step(unpickler: Any) -> None:
        _plain_keys(unpickler.stack[keys])
        original(unpickler)

    return step


class _Unpickler(pickle._Unpickler):
    """Finds our stand-ins alone."""

    dispatch: ClassVar[dict[int, Any]] = {
        **_PYTHON.dispatch,
        pickle.SETITEM[0]: _checked(pickle.SETITEM, slice(-2, -1)),
        pickle.SETITEMS[0]: _checked(pickle.SETITEMS, slice(None, None, 2)),
        pickle.DICT[0]: _checked(pickle.DICT, slice(None, None, 2)),
        pickle.ADDITEMS[0]: _checked(pickle.ADDITEMS, slice(None)),
        pickle.FROZENSET[0]: _checked(pickle.FROZENSET, slice(None)),
    }

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in of an allowed name.

        Raises:
            InvalidInput: for every other name.
        """
        short = re.sub(r"^numpy\._?core\.", "", module)
        stand_in = _STAND_INS.get(f"{short}.{name}")
        if stand_in is None:
            cure = _CURES.get(module.split(".")[0], "convert it to JSON where it was made.")
            raise InvalidInput(
                "a pickle must hold only numpy arrays and plain containers; this one needs "
                f"{module[:60]}.{name[:60]}, and nothing of it was run.",
                hint=cure,
            )
        if isinstance(stand_in, type):  # a new one each time, because a pickle may set attributes
            return type(stand_in.__name__, (stand_in,), {})
        return lambda *arguments: stand_in(*arguments)

    def persistent_load(self, pid: Any) -> Any:
        """Refuse what is outside of the pickle.

        Raises:
            InvalidInput: always.
        """
        raise InvalidInput("a pickle must hold all of its data.", hint=_TORCH)


class _Plain:
    """Makes values plain: lists, dicts, text, numbers; refuses what refers to itself."""

    def __init__(self) -> None:
        self._sizes: dict[int, tuple[int, Any]] = {}
        self.doubled = False  # whether an object has a key twice

    def of(self, value: Any) -> Any:
        """The plain value.

        Raises:
            InvalidInput: if it is too deep, too large, or of another type.
        """
        return self._of(value, 0)[1]

    def _of(self, value: Any, depth: int) -> tuple[int, Any]:
        if value is None or isinstance(value, bool | int | float | str):
            return 1, value
        if isinstance(value, bytes):
            return 1, value.decode("utf-8", "replace")
        if depth > _DEEPEST:
            raise InvalidInput(f"a pickle must not be nested deeper than {_DEEPEST} levels.")
        known = self._sizes.get(id(value))
        if known is None:
            known = self._made(value, depth)
            self._sizes[id(value)] = known
        if known[0] > _MOST:
            raise InvalidInput(f"a pickle must hold at most {_MOST:,} values.")
        return known

    def _made(self, value: Any, depth: int) -> tuple[int, Any]:
        if isinstance(value, _Array):
            return self._of(value.values, depth + 1)
        if isinstance(value, dict):
            inner = [(key, self._of(one, depth + 1)) for key, one in value.items()]
            pairs = [(k if isinstance(k, str) else str(k)[:200], one) for k, (_, one) in inner]
            plain = dict(pairs)
            if len(plain) < len(pairs):
                plain, self.doubled = Doubled(pairs), True
            return 1 + sum(size for _, (size, _) in inner), plain
        if isinstance(value, list | tuple | set | frozenset):
            members = [self._of(one, depth + 1) for one in value]
            return 1 + sum(size for size, _ in members), [one for _, one in members]
        raise InvalidInput(
            "a pickle must hold only numpy arrays and plain containers; got "
            f"{type(value).__name__[:60]}."
        )
