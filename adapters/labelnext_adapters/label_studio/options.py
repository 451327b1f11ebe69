"""The options of the Label Studio adapter."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, Self

from annotated_types import Ge, Le
from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator

from labelnext.adapter.options import Options, SendOptions
from labelnext.adapter.options import WriteOptions as _WriteOptions
from labelnext_adapters.label_studio.server.address import (
    checked_key,
    checked_page,
    checked_project,
    checked_url,
)

_MOST_ANNOTATORS = 100  # a tab each


class LabelStudioSource(Options):
    """Where the tasks are."""

    url: str
    """Address of the server as your browser shows it, without the path of a project."""
    api_key: SecretStr
    """Personal Access Token, or a legacy token if your organization allows them."""
    project: int | str
    """Number or title of the project, or the address of its page as your browser shows it."""
    model_version: str | list[str] | None = None
    """Model version whose predictions to read; null reads each task's newest prediction; a list is
    a committee."""
    merge: Literal["regions"] | None = None
    """regions puts the regions of all model versions together, such as those of detectors of
    different classes."""
    from_name: str | list[str] | None = None
    """Name of the control tag, required if the setup has several; a list is read together."""
    unlabelled: bool = False
    """Read only tasks without labels."""
    tab: int | str | None = None
    """Number or title of a Data Manager tab: read only the tasks that match its filters."""
    updated_since: datetime | None = None
    """Read only tasks changed after this time; UTC unless it has a time zone."""
    skipped: Literal["next", "last", "never"] | None = None
    """Rank skipped tasks like others, after all others, or not at all. null follows the project:
    last if Label Studio hands them out again, never otherwise."""
    labels: Literal["latest", "ground_truth", "majority"] | None = "latest"
    """Which of a task's annotations counts as its label; null reads no labels."""
    ca_bundle: Path | None = None
    """Certificate file to trust instead of the system's certificates."""

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        return checked_url(url)

    @field_validator("api_key")
    @classmethod
    def _check_key(cls, key: SecretStr) -> SecretStr:
        return checked_key(key)

    @field_validator("project", mode="before")
    @classmethod
    def _check_project(cls, project: object, info: ValidationInfo) -> object:
        return _checked_project(project, info)

    @property
    def number(self) -> int:
        """The project's number; a title must have been looked up before."""
        if not isinstance(self.project, int):
            raise TypeError(f"project must be looked up first; it is {self.project!r}.")
        return self.project

    @field_validator("model_version", "from_name")
    @classmethod
    def _check_names(cls, names: str | list[str] | None) -> str | list[str] | None:
        if isinstance(names, list) and (not names or len({*names}) < len(names)):
            raise ValueError("must be a name, or a list of different names")
        return names[0] if isinstance(names, list) and len(names) == 1 else names


class LabelStudioWrite(_WriteOptions):
    """How the ranking is written."""

    mode: Literal["queue", "batch", "uncertainty"] = "queue"  # type: ignore[assignment]  # more than the base has
    """queue: every task and a tab; batch: the batch and a tab; uncertainty: for Label All Tasks."""
    tab: str = Field(default="Label next", min_length=1, max_length=100)
    """Title of the Data Manager tab; for label review the default is Review next."""
    annotators: int | list[str] | None = None
    """How many people, or their names: splits the batch, with one tab per person."""

    why: bool = False
    """Also say in plain words why each task of the batch is next, under labelnext_why; one request
    for each different text."""
    prelabels: bool = False
    """Also show annotators what is predicted of each task of the batch, as a pre-label."""
    overlap: Literal["disagreement"] | None = None
    """disagreement: ask for one more annotation of each task on which people disagree without a
    majority, of five at most. null: as the project says."""
    clusters: Annotated[int, Ge(2), Le(500)] | Literal["auto"] | None = None
    """With mode uncertainty: how many clusters of similar tasks each person is served from in turn;
    auto: half as many as the batch has tasks. Each clustered task takes a request."""
    copies: Annotated[int, Ge(1)] | Literal["all"] | None = None
    """With mode uncertainty: how many of the first tasks to serve in order; null: 1,000; all: every
    ranked task. With more than 2,000, people who label meanwhile can wait for half a minute."""

    @field_validator("annotators")
    @classmethod
    def _check_annotators(cls, annotators: int | list[str] | None) -> int | list[str] | None:
        if isinstance(annotators, int) and not 1 <= annotators <= _MOST_ANNOTATORS:
            raise ValueError(f"must be from 1 to {_MOST_ANNOTATORS}")
        if isinstance(annotators, list):
            if not 1 <= len(annotators) <= _MOST_ANNOTATORS or len({*annotators}) < len(annotators):
                raise ValueError(f"must be from 1 to {_MOST_ANNOTATORS} different names")
            if any(not n or n != n.strip() or not n.isprintable() for n in annotators):
                raise ValueError("must be printable names without leading or trailing spaces")
        return annotators

    @field_validator("why")
    @classmethod
    def _check_why(cls, why: bool, info: ValidationInfo) -> bool:
        if why and info.data.get("mode") == "uncertainty":
            raise ValueError(
                "must be left out with mode uncertainty, which writes nothing on tasks"
            )
        return why

    @field_validator("clusters", "copies")
    @classmethod
    def _check_of_uncertainty(cls, value: object, info: ValidationInfo) -> object:
        if value is not None and info.data.get("mode") != "uncertainty":
            raise ValueError("must be left out unless mode is uncertainty")
        return value

    def for_review(self) -> Self:
        """A copy with the names for a label review, including the tab's."""
        named = super().for_review()
        if "tab" in self.model_fields_set:
            return named
        return named.model_copy(update={"tab": "Review next"})

    @model_validator(mode="after")
    def _check_mode(self) -> LabelStudioWrite:
        if self.mode == "uncertainty" and self.annotators is not None:
            raise ValueError(
                "annotators must be left out with mode uncertainty: Label Studio then never gives "
                "the same task to two people"
            )
        return self


class LabelStudioSend(SendOptions):
    """Where people label a batch."""

    url: str | None = None
    """Address of the Label Studio server."""
    api_key: SecretStr | None = None
    """Personal Access Token, or a legacy token if your organization allows them."""
    project: int | str | None = None
    """Number, title or address of the project; when null, labelnext makes one for the dataset and
    reuses it."""
    from_name: str | None = None
    """Name of the control tag that people use, if the project has several that suit the labels."""
    fields: tuple[str, ...] = ()
    """Further fields of the source that people label in the same project; their labels come back
    into fields of their own, such as labels_weather."""
    attributes: tuple[str, ...] = ()
    """Attributes of each object that people see and correct, such as occluded."""
    labels: Literal["latest", "ground_truth"] = "latest"
    """Which of a task's annotations labelnext fetch uses."""
    document_root: Path | None = None
    """Folder of images that the server can serve itself; when null, images are uploaded."""
    url_prefix: str = "/data/local-files/?d="
    """Prefix of an image's address; its path below document_root follows."""
    ca_bundle: Path | None = None
    """Certificate file to trust instead of the system's certificates."""

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str | None) -> str | None:
        return None if url is None else checked_url(url)

    @field_validator("api_key")
    @classmethod
    def _check_key(cls, key: SecretStr | None) -> SecretStr | None:
        return None if key is None else checked_key(key)

    @field_validator("fields", "attributes")
    @classmethod
    def _check_names(cls, names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        taken = {"label", "image", *info.data.get("fields", ())}
        if len({*names}) < len(names) or not taken.isdisjoint(names) or "" in names:
            raise ValueError("must be different names, and none of them label or image")
        return names

    @field_validator("project", mode="before")
    @classmethod
    def _check_project(cls, project: object, info: ValidationInfo) -> object:
        return project if project is None else _checked_project(project, info)


def _checked_project(project: object, info: ValidationInfo) -> object:
    if isinstance(project, bool) or not isinstance(project, int | str):
        raise ValueError("must be the number, the title or the address of a project")
    checked_page(project, info.data.get("url"))
    return checked_project(project)
