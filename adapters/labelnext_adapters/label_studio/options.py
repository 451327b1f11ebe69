"""The options of the Label Studio adapter."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from labelnext.adapter.options import Options, SendOptions
from labelnext.adapter.options import WriteOptions as _WriteOptions
from labelnext_adapters.label_studio.server.address import checked_key, checked_url

_MOST_ANNOTATORS = 100  # a tab each


class LabelStudioSource(Options):
    """Where the tasks are."""

    url: str
    """Address of the server, as in the browser, without the path of a project."""
    api_key: SecretStr
    """Personal Access Token, or a legacy token where the organization allows them."""
    project: int = Field(ge=1)
    """Number of the project, as in the address of its page."""
    model_version: str | list[str] | None = None
    """Which predictions to read; the newest version when null; a list is a committee."""
    from_name: str | list[str] | None = None
    """Name of the control tag; needed when the setup has several; a list is read together."""
    unlabelled: bool = False
    """Whether to leave labelled tasks unread."""
    tab: int | str | None = None
    """Number or title of a Data Manager tab: only the tasks that its filters leave are read."""
    updated_since: datetime | None = None
    """Only tasks that changed after this are read; UTC where no zone is given."""
    labels: Literal["latest", "ground_truth", "majority"] | None = "latest"
    """Which annotation of a task is its label; none is read when null."""
    ca_bundle: Path | None = None
    """File of certificates to trust instead of the system's."""

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        return checked_url(url)

    @field_validator("api_key")
    @classmethod
    def _check_key(cls, key: SecretStr) -> SecretStr:
        return checked_key(key)

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
    """Title of the Data Manager tab; Review next where labels are reviewed."""
    annotators: int | list[str] | None = None
    """A number of people, or their names: the batch is split, with one tab for each."""

    @field_validator("annotators")
    @classmethod
    def _check_annotators(cls, annotators: int | list[str] | None) -> int | list[str] | None:
        if isinstance(annotators, int) and not 1 <= annotators <= _MOST_ANNOTATORS:
            raise ValueError(f"must be from 1 to {_MOST_ANNOTATORS}")
        if isinstance(annotators, list):
            if not 1 <= len(annotators) <= _MOST_ANNOTATORS or len({*annotators}) < len(annotators):
                raise ValueError(f"must be from 1 to {_MOST_ANNOTATORS} different names")
            if any(not n or n != n.strip() or not n.isprintable() for n in annotators):
                raise ValueError("must be names without spaces around them")
        return annotators

    def for_review(self) -> Self:
        """A copy with names of a review's own, the tab's too."""
        named = super().for_review()
        if "tab" in self.model_fields_set:
            return named
        return named.model_copy(update={"tab": "Review next"})

    @model_validator(mode="after")
    def _check_mode(self) -> LabelStudioWrite:
        if self.mode == "uncertainty" and self.annotators is not None:
            raise ValueError(
                "annotators must be left out with mode uncertainty: Label Studio itself then never "
                "hands one task to two people"
            )
        return self


class LabelStudioSend(SendOptions):
    """Where people label a batch."""

    url: str | None = None
    """Address of the Label Studio server."""
    api_key: SecretStr | None = None
    """Personal Access Token, or a legacy token where the organization allows them."""
    project: int | None = Field(None, ge=1)
    """Number of the project; when null, one that is made for the dataset and found again."""
    from_name: str | None = None
    """Name of the control tag (Choices or RectangleLabels), where the project has several."""
    labels: Literal["latest", "ground_truth"] = "latest"
    """Which annotation of a task labelnext fetch takes."""
    document_root: Path | None = None
    """Folder of the images that the server can show by itself; when null, they are uploaded."""
    url_prefix: str = "/data/local-files/?d="
    """What stands before the path below document_root in the address of an image."""
    ca_bundle: Path | None = None
    """File of certificates to trust instead of the system's."""

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str | None) -> str | None:
        return None if url is None else checked_url(url)

    @field_validator("api_key")
    @classmethod
    def _check_key(cls, key: SecretStr | None) -> SecretStr | None:
        return None if key is None else checked_key(key)
