"""What is needed of Label Studio's answers: names and types, checked where an answer comes in.

An answer may hold more; what is missing or of another type is no answer of Label Studio's.
"""

from __future__ import annotations

from typing import Any

import msgspec


class User(msgspec.Struct):
    """Of `api/current-user/whoami`."""

    email: str | None = None
    active_organization: int | None = None
    permissions: list[str] | None = None


class Draft(msgspec.Struct):
    """One of a task's `drafts`: whose it is, as "Ann Bo ann@example.com, 7"."""

    created_username: str


class Tag(msgspec.Struct):
    """A control tag of a parsed labelling setup."""

    type: str
    to_name: list[str] = []
    labels: list[str] | None = None
    labels_attrs: dict[str, dict[str, Any]] | None = None
    regex: dict[str, Any] | None = None
    per_region: Any = None
    dynamic_labels: Any = None


class Project(msgspec.Struct):
    """Of `api/projects/<number>/`."""

    id: int
    task_number: int
    parsed_label_config: dict[str, Tag] | None
    label_config: str | None = None
    title: str | None = None
    model_version: str | None = None
    sampling: str | None = None
    skip_queue: str | None = None
    maximum_annotations: int | None = None
    overlap_cohort_percentage: float | None = None
    finished_task_number: int | None = None
    total_annotations_number: int | None = None
    skipped_annotations_number: int | None = None
    total_predictions_number: int | None = None


class ProjectNumber(msgspec.Struct):
    """One of `api/projects/`."""

    id: int
    title: str | None = None
    description: str | None = None


class Projects(msgspec.Struct):
    """A page of `api/projects/`."""

    results: list[ProjectNumber]
    count: int


class Webhook(msgspec.Struct):
    """A request that the server sends when something happens."""

    id: int
    url: str


class Version(msgspec.Struct):
    """A model version, with how many predictions it made, and when the last one."""

    model_version: str | None
    count: int
    latest: str | None


class Versions(msgspec.Struct):
    """Of `api/projects/<number>/model-versions/`."""

    static: list[Version]


class Members(msgspec.Struct):
    """A page of an organization's memberships."""

    results: list[dict[str, Any]]
    count: int


class View(msgspec.Struct):
    """One of `api/dm/views/`."""

    id: int
    data: dict[str, Any] | None
    project: int | None = None


class Upload(msgspec.Struct):
    """One of a project's `file-uploads`."""

    id: int
    file: str
