"""Files to a Pool: find the format, read, and say in one way what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import ValidationError

from labelnext.adapter.formats import Format, InParts, recognised
from labelnext.adapter.options import Options
from labelnext.adapter.protocol import Context
from labelnext.errors import ConfigError, InvalidInput, LabelnextError, NotFound
from labelnext.pool.pool import Pool
from labelnext_adapters.files.options import FilesSource, place_of


@dataclass(frozen=True)
class Input:
    """What is read.

    Attributes:
        path: on this machine, or the text of a URL.
        format: how it is read.
        options: of the format.
        context: folder of relative paths, key and progress.
        source: as in the configuration.
    """

    path: Path | str
    format: Format
    options: Options
    context: Context
    source: FilesSource

    @cached_property
    def in_parts(self) -> InParts | None:
        """The pool, to be read part by part; None where it is read whole.

        Made once: a store may be asked where it is.
        """
        opened = self.format.open_parts
        return None if opened is None else opened(self.path, self.options, self.context)

    @property
    def files(self) -> list[Path]:
        """All that is read on this machine."""
        others = self.format.files(self.options, self.context)
        return [*([self.path] if isinstance(self.path, Path) else []), *others]


def find_input(source: FilesSource, context: Context) -> Input:
    """The format of a source, with its options.

    Raises:
        ConfigError: if no format recognises the path, or several do, or an option is wrong.
    """
    path = place_of(source.path, context)
    values = {name: getattr(source, name) for name in type(source).model_fields}
    given = [name for name, value in values.items() if value is not None]
    found = recognised(path, source.format, given)
    own = {name: values.get(name) for name in found.Options.model_fields}
    try:
        options = found.Options.model_validate(own)
    except ValidationError as error:  # the path was something else when the source was checked
        raise ConfigError(f"can't read {str(path)!r} as {found.name}: {error}.") from error
    return Input(path, found, options, context, source)


def absent(path: Path | str) -> bool:
    """Whether a path is of this machine, and nothing is there."""
    return isinstance(path, Path) and not path.exists()


def read_pool(files: Input) -> Pool:
    """All items.

    Raises:
        NotFound: if the file does not exist.
        InvalidInput: if it is broken, or a value breaks its rule.
    """
    if files.in_parts is not None:
        return files.in_parts.read()
    path, kind = files.path, files.format
    if isinstance(path, str) and kind.recognises is None:
        raise ConfigError(
            f"path must be a file on this machine to be read as {kind.name}; got {path!r}."
        )
    if absent(path):
        raise NotFound(f"path must be a file; got {str(path)!r}, which does not exist.")
    name = Path(path).name
    files.context.report("read", 0, None)
    try:
        pool = kind.read(path, files.options, files.context)
    except LabelnextError as error:
        error.message = f"{name}: {error.message}"
        raise
    except (OSError, ValueError) as error:  # Arrow's errors are ValueErrors too
        problem = " ".join(str(error).split())
        raise InvalidInput(
            f"{name} must be a whole {kind.name} file; {problem}.",
            hint="the file may be cut off; write or copy it again.",
        ) from error
    files.context.report("read", len(pool), len(pool))
    return pool
