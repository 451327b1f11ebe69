"""Load a configuration: YAML in, typed settings out; errors name the key, file and line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from labelnext.adapter.options import Options, SendOptions, WriteOptions
from labelnext.adapter.protocol import Adapter
from labelnext.adapter.registry import open_adapter
from labelnext.config.outline import Located, Outline, checked_as, load_outline, section_of
from labelnext.config.recipe import check_recipe, recipe_of, review_recipe, with_options
from labelnext.config.sections import (
    SECTIONS,
    Acquisition,
    Ray,
    Replay,
    ReportSettings,
    Review,
    Selection,
    Watch,
)
from labelnext.config.source import Rest, Source
from labelnext.errors import ConfigError, masked_data, remember_secrets_in
from labelnext.journal.plan import Progress
from labelnext.ranking.recipe import Recipe
from labelnext.selection.quotas import check_columns
from labelnext.support.refused import refusals_told


@dataclass(frozen=True)
class Config(Located):
    """A checked configuration.

    Attributes:
        source: the keys of `source` that all adapters share.
        source_options: the adapter's own keys of `source`.
        write: how the ranking is written back.
        acquisition: how items are scored.
        selection: how the batch is chosen.
        send: where people label a batch, and where their labels go.
        report: the report settings.
        replay: how to replay active learning.
        review: how to review labels.
        watch: when to rank again, and what to run before.
        ray: how to connect to Ray.
        rest: the top-level keys.
        path: path of the file; None if the configuration came from a mapping.
        memory: what adapters keep from one run of the process to the next; None to keep nothing.
    """

    source: Source
    source_options: Options
    write: WriteOptions
    acquisition: Acquisition
    selection: Selection
    send: SendOptions
    report: ReportSettings
    replay: Replay
    review: Review
    watch: Watch
    ray: Ray
    rest: Rest
    path: Path | None = None
    memory: dict[str, Any] | None = None

    @cached_property
    def recipe(self) -> Recipe:
        """How to score items and choose a batch; choices that depend on the data stay open."""
        if self.rest.purpose == "review":
            return review_recipe(self.acquisition, self.selection, self.review)
        return recipe_of(self.acquisition, self.selection, self.directory)

    def open_adapter(self, progress: Progress | None = None) -> Adapter:
        """The adapter of `source`, ready to read.

        Raises:
            MissingExtra: if its SDK is not installed.
        """
        options = self.source_options
        return open_adapter(
            self.source.adapter,
            write=self.write,
            directory=self.directory,
            key=self.source.key,
            progress=progress,
            memory=self.memory,
            metadata=self.source.metadata,
            state=self.state,
            **{name: getattr(options, name) for name in type(options).model_fields},
        )

    def _made(self) -> dict[str, Any]:
        """The embeddings to be made, whose key an adapter may have too."""
        made = self.source.embeddings
        return {} if made is None else {"embeddings": _dump(made)}

    def changed(self, *, budget: int | None = None, output: Path | None = None) -> Config:
        """A copy with the budget or ranking file from the command line.

        Raises:
            ConfigError: if `budget` is below 1.
        """
        config = self
        if budget is not None:
            if budget < 1:
                raise ConfigError(f"budget must be a whole number of at least 1; got {budget!r}.")
            selection = self.selection.model_copy(update={"budget": budget})
            config = replace(config, selection=selection)
        if output is not None:
            # Like any path in a shell: relative to the current folder, not the configuration's.
            remember_secrets_in(str(output))
            write = self.write.model_copy(update={"output": output.absolute()})
            config = replace(config, write=write)
        return config

    def to_dict(self) -> dict[str, Any]:
        """The configuration as JSON-able data, with secrets masked."""
        data: dict[str, Any] = {
            "source": {**_dump(self.source), **_dump(self.source_options), **self._made()},
            "acquisition": _dump(self.acquisition),
            "selection": _dump(self.selection),
            "write": _dump(self.write),
            "send": _dump(self.send),
            "report": _dump(self.report),
            "replay": _dump(self.replay),
            "review": _dump(self.review),
            "watch": _dump(self.watch),
            "ray": _dump(self.ray),
        }
        return data | _dump(self.rest)


@refusals_told()
def load_config(config: Path | str | Mapping[str, Any]) -> Config:
    """Read and check a configuration.

    Args:
        config: path of a YAML file, or its content as a mapping.

    Raises:
        NotFound: if the file doesn't exist.
        ConfigError: if the configuration is wrong; the message names the key, file and line.
    """
    return config_of(load_outline(config))


def config_of(outline: Outline) -> Config:
    """The configuration of which this is the outline.

    Raises:
        ConfigError: if the configuration is wrong; the message names the key, file and line.
    """
    document = outline.document
    sections: dict[str, Any] = {
        name: checked_as(document, model, section_of(document, name), (name,))
        for name, model in SECTIONS.items()
    }
    source = outline.source
    if source.model is not None and outline.rest.purpose == "label":
        sections["selection"] = sections["selection"].of_probe()
    sections["acquisition"], sections["selection"] = with_options(
        document, sections["acquisition"], sections["selection"]
    )
    settings = Config(
        source=source,
        source_options=outline.source_options,
        write=outline.write,
        rest=outline.rest,
        send=outline.send,
        path=outline.path,
        **sections,
    )
    check_recipe(
        document,
        settings.acquisition,
        settings.selection,
        lambda: check_columns(settings.recipe.constraints.quotas, source.metadata),
    )
    return settings


def _dump(model: BaseModel) -> dict[str, Any]:
    data: dict[str, Any] = model.model_dump(mode="json", fallback=repr)
    masks: dict[str, Any] = masked_data(data)
    return masks
