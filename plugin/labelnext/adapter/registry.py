"""Look up adapters by name, check that their packages are installed, and open them."""

from __future__ import annotations

import difflib
import importlib.util
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from labelnext.adapter.capabilities import Capability, can, missing_capability
from labelnext.adapter.options import Options, SendOptions, WriteOptions
from labelnext.adapter.protocol import Adapter, Context, Target
from labelnext.errors import ConfigError, LabelnextError, MissingExtra, shown, unknown
from labelnext.journal.plan import Progress
from labelnext.support.models import Refused, validated
from labelnext.support.plugins import Table, class_with
from labelnext.support.refused import refusals_told
from labelnext.support.started import installed_here

_Options = TypeVar("_Options", bound=Options)

_NEEDED = ("name", "requires", "install", "SourceOptions", "WriteOptions", "read", "check")


ADAPTERS: Table[type[Adapter]] = Table("labelnext.adapters", "adapter", class_with(*_NEEDED))


def adapter_names() -> list[str]:
    """The names of all installed adapters, including other packages' ones.

    Example:
        >>> "files" in adapter_names()
        True
    """
    return ADAPTERS.names()


def get_adapter(name: str) -> type[Adapter]:
    """Look up an adapter class by name, without importing its SDK.

    Raises:
        UnknownName: if no installed package provides it.
        MissingExtra: if a package that its module needs is missing.
        ConfigError: if the adapter can't be used.
    """
    return ADAPTERS.get(name)


def source_options(
    adapter: type[Adapter], data: Mapping[str, Any], directory: Path
) -> type[Options]:
    """The options class for these keys of `source`; an adapter may choose it by the keys."""
    offered = getattr(adapter, "source_options", None)
    options: type[Options] = adapter.SourceOptions if offered is None else offered(data, directory)
    return options


def able(capability: Capability) -> list[str]:
    """The names of the installed adapters that declare a capability."""
    names = []
    for name in adapter_names():
        with suppress(MissingExtra):  # its module needs a package that isn't installed
            if can(get_adapter(name), capability):
                names.append(name)
    return names


def missing_modules(adapter: type[Adapter]) -> list[str]:
    """The modules an adapter requires that are not installed."""
    return [module for module in adapter.requires if importlib.util.find_spec(module) is None]


@refusals_told()
def open_adapter(
    name: str,
    *,
    write: Mapping[str, Any] | WriteOptions | None = None,
    directory: Path | str = ".",
    key: str | None = None,
    progress: Progress | None = None,
    memory: dict[str, Any] | None = None,
    metadata: Sequence[str] = (),
    state: Path | None = None,
    **source: Any,
) -> Adapter:
    """Open an adapter, ready to read. This first checks that the platform's SDK is installed.

    Args:
        name: one of `adapter_names()`.
        write: the adapter's keys of `write`.
        directory: folder that relative paths start from.
        key: data key or field of the item ids; see `source.key`.
        progress: called with a stage, how much is done, and of how much.
        memory: kept by the caller between runs of one process; see `Context`.
        metadata: further columns to read; see `source.metadata`.
        state: folder of what is kept for later runs; see `Context`.
        source: the adapter's own keys of `source`.

    Raises:
        UnknownName: if there is no such adapter.
        MissingExtra: if its SDK is not installed; the hint is the install command.
        ConfigError: if an option is wrong.
    """
    adapter = get_adapter(name)
    require(name, adapter)
    parsed = source_options(adapter, source, Path(directory))
    options = _validated(name, parsed, source)
    if not isinstance(write, WriteOptions):
        write = _validated(name, adapter.WriteOptions, write or {})
    if not isinstance(metadata, list | tuple) or not all(isinstance(n, str) for n in metadata):
        raise ConfigError(f"metadata must be a list of names; got {shown(metadata)}.")
    context = Context(Path(directory), key, progress, memory, tuple(metadata), state)
    opened: Adapter = adapter(options, write, context)  # type: ignore[call-arg]  # protocol has no constructor
    return opened


def _validated(name: str, model: type[_Options], data: Mapping[str, Any]) -> _Options:
    try:
        return validated(model, data)
    except Refused as refused:
        if refused.cause is not None:
            raise ConfigError(refused.cause.message, hint=refused.cause.hint) from None
        option = ".".join(map(str, refused.location))
        known = model.model_fields
        near = [] if option in known else difflib.get_close_matches(option, known, n=1)
        hint = refused.hint or (f"did you mean {near[0]!r}?" if near else None)
        message = f"option {option} of adapter {name} {refused.text}"
        raise ConfigError(message, hint=hint) from None


def require(name: str, adapter: type[Adapter]) -> None:
    """Raise MissingExtra, with the install command, if an adapter's SDK is not installed."""
    missing = missing_modules(adapter)
    if missing:
        raise MissingExtra(
            f"adapter {name} needs the package {missing[0]}, which isn't installed.",
            hint=installed_here(adapter.install),
        )


def target_names() -> list[str]:
    """The names of the adapters that can take a batch.

    Example:
        >>> "label-studio" in target_names()
        True
    """
    return able(Capability.TAKES_BATCHES)


def get_target(name: str) -> Any:
    """Look up an adapter class that takes batches, without importing its SDK.

    Raises:
        UnknownName: if no installed package provides it, or it can't take batches.
    """
    with suppress(LabelnextError):  # said below, with the names of those that can
        if can(adapter := get_adapter(name), Capability.TAKES_BATCHES):
            return adapter
    known = target_names()
    if name in adapter_names():
        raise missing_capability("adapter", name, Capability.TAKES_BATCHES, known)
    raise unknown("adapter", str(name), known)


def open_target(
    options: SendOptions, *, directory: Path | str = ".", progress: Progress | None = None
) -> Target:
    """Open the platform that batches are sent to. This first checks that its SDK is installed.

    Args:
        options: the keys of `send`.
        directory: folder that relative paths start from.
        progress: called with a stage, how much is done, and of how much.

    Raises:
        UnknownName: if the adapter can't take batches.
        MissingExtra: if its SDK is not installed; the hint is the install command.
        ConfigError: if an option is wrong.
    """
    adapter = get_target(options.adapter)
    require(options.adapter, adapter)
    opened: Target = adapter.open_target(options, Context(Path(directory), None, progress))
    return opened
