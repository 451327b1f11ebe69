"""Base classes of an adapter's options."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from labelnext.errors import ConfigError
from labelnext.support.store import filesystem, is_url

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic.fields import FieldInfo
    from pydantic.json_schema import JsonSchemaValue


class Options(BaseModel):
    """Base of an adapter's options: frozen, and unknown keys are refused.

    A string below a field describes it in the schema, in `labelnext init` and in the docs; see
    `described`.
    """

    # Most commands use few of all options, so each model is made when it is first used.
    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, defer_build=True
    )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: Any, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The schema of the model, each property with its description."""
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        for name, field in described(cls).items():
            if name in properties and field.description:
                properties[name].setdefault("description", field.description)
        return schema


@cache
def described(model: type[BaseModel]) -> Mapping[str, FieldInfo]:
    """The fields of a model, each with its description, which may be a string below the field.

    Strings are read from the source file only when somebody asks, as this takes time.

    Args:
        model: options, or a section of the configuration.
    """
    texts: dict[str, str] = {}
    for kind in reversed(model.__mro__):
        if issubclass(kind, Options):
            texts |= _texts_below_fields(kind)
    for name, field in model.model_fields.items():
        if field.description is None:
            field.description = texts.get(name)
    return model.model_fields


def _texts_below_fields(kind: type) -> dict[str, str]:
    """The strings below the fields of a class; none where its source isn't at hand."""
    body: list[ast.stmt] = []
    with suppress(OSError, TypeError, SyntaxError):
        (found,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
        body = found.body if isinstance(found, ast.ClassDef) else []
    return {
        field.target.id: inspect.cleandoc(below.value.value)
        for field, below in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    }


class WriteOptions(Options):
    """The keys of `write` that every adapter has."""

    mode: Literal["queue"] = "queue"
    """How to write the ranking; the modes depend on the adapter."""
    run: Annotated[str, Field(pattern=r"\S")] = "labelnext"
    """Name of the run, and of what it creates on the platform; labelnext_review when reviewing
    labels."""
    output: Path | None = None
    """Also write the ranking to this file (.csv, .jsonl or .parquet)."""
    excel_safe: bool = False
    """In a .csv file, put a quote (') before ids that a spreadsheet would take for a formula."""

    def for_review(self) -> Self:
        """A copy with names for a review, so that it doesn't touch the labelling queue.

        Names that were set explicitly stay.
        """
        if "run" in self.model_fields_set:
            return self
        return self.model_copy(update={"run": "labelnext_review"})


class SendOptions(Options):
    """The keys of `send` that every target platform has."""

    adapter: str = "label-studio"
    """Where people label: label-studio, fiftyone or another adapter that takes batches."""
    field: str = "labels"
    """Field in the source where labelnext fetch puts the labels."""
    key: str | None = None
    """Data key or field that holds an item's id there; null: the platform's own id, or
    fiftyone_id or files_id in tasks that labelnext creates."""


def output_place(write: WriteOptions, directory: Path) -> Path | str:
    """The folder or URL of the ranking.

    Args:
        write: the write options; without an `output`, the folder is `ranking`.
        directory: folder that relative paths start from.

    Raises:
        ConfigError: if `write.output` names a file.
    """
    stated = "output" in write.model_fields_set and write.output is not None
    place = str(write.output) if stated else "ranking"
    if is_url(place):
        filesystem(place)
        return place
    path = (directory / Path(place).expanduser()).absolute()
    if path.suffix or path.is_file():
        raise ConfigError(
            f"write.output must be a folder for a pool that is read in parts; got {str(path)!r}.",
            hint=f"name a folder, such as {path.stem!r}; the ranking has parts, too.",
        )
    return path
