"""What `labelnext check` says about a Label Studio project; nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from labelnext.acquisition import acquisition_names, get_acquisition
from labelnext.adapter.protocol import Context, Finding
from labelnext.errors import LabelnextError
from labelnext.pool.pool import Pool
from labelnext.support.words import counted, joined, some
from labelnext_adapters.label_studio.options import LabelStudioSource, LabelStudioWrite
from labelnext_adapters.label_studio.read.read import choose_versions, read_page, read_setup
from labelnext_adapters.label_studio.read.scope import find_part
from labelnext_adapters.label_studio.read.tag import with_tag
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.project import (
    find_project,
    find_versions,
    get_project,
)
from labelnext_adapters.label_studio.server.shapes import User
from labelnext_adapters.label_studio.server.task import WHY
from labelnext_adapters.label_studio.server.tasks import Tasks
from labelnext_adapters.label_studio_format.controls import CONTROLS
from labelnext_adapters.label_studio_format.predictions import make_pool

# Versions that the integration tests ran with; others may work, and get a warning.
TESTED_SERVERS = ("1.19", "1.20", "1.21", "1.22", "1.23")  # none lacks what labelnext uses
# These take whatever is imported as a prediction; later ones refuse what the setup doesn't allow.
_UNCHECKED = ("1.19", "1.20")
TESTED_SDKS = ("2.0", "2.1")

_NEEDED = ("projects.change", "actions.perform", "views.create", "views.change")


def check(
    connect: Callable[[], Client],
    source: LabelStudioSource,
    write: LabelStudioWrite | None = None,
) -> list[Finding]:
    """Connection, versions, token, project and predictions, as far as one gets."""
    findings: list[Finding] = []
    try:
        client = connect()
        _check_server(client, findings)
        _check_user(client, findings)
        number = find_project(client, source.project)
        source = source.model_copy(update={"project": number})
        project = get_project(client, number)
        _check_project(project, findings)
        _check_predictions(client, source, project, findings)
        if write is not None and write.why:
            findings.append(
                Finding("ok", f"write.why is on: tasks of the batch get a reason under {WHY}.")
            )
    except LabelnextError as error:
        findings.append(Finding("error", error.message, error.hint))
    return findings


def _check_server(client: Client, findings: list[Finding]) -> None:
    answer = client.get_json("api/version")
    if client.base != client.url:
        findings.append(
            Finding(
                "warning", f"{client.url} redirects to another address.", f"write {client.base}."
            )
        )
    release = str(answer.get("release") or "") if isinstance(answer, dict) else ""
    findings.append(_tested("Label Studio", release, TESTED_SERVERS, f" at {client.url}"))
    if _series(release) in _UNCHECKED:
        findings.append(
            Finding(
                "ok",
                f"Label Studio {release} doesn't check predictions when they are stored; those "
                "that labelnext can't read are left out and counted.",
            )
        )
    try:
        findings.append(_tested("label-studio-sdk", version("label-studio-sdk"), TESTED_SDKS))
    except PackageNotFoundError:
        findings.append(Finding("warning", "The version of label-studio-sdk is unknown."))


def _tested(what: str, release: str, tested: tuple[str, ...], where: str = "") -> Finding:
    if _series(release) in tested:
        return Finding("ok", f"{what} {release}{where}.")
    known = joined([f"{t}.x" for t in tested])
    return Finding(
        "warning",
        f"{what} {release or 'of unknown version'}{where}; labelnext was tested with {known}.",
        "try a dry run first, then check the tab against the report after the first run.",
    )


def _series(release: str) -> str:
    return ".".join(release.split(".")[:2])


def _check_user(client: Client, findings: list[Finding]) -> None:
    user = client.get_row("api/current-user/whoami", User)
    findings.append(
        Finding("ok", f"The token belongs to {user.get('email') or 'an unnamed user'}.")
    )
    allowed = user.get("permissions")
    missing = [] if allowed is None else [p for p in _NEEDED if p not in allowed]
    if missing:
        findings.append(
            Finding(
                "warning",
                f"The user may lack permissions needed for writing: {', '.join(missing)}.",
                "ask the server's administrator, or use a token whose user has them.",
            )
        )


def _check_project(project: dict[str, Any], findings: list[Finding]) -> None:
    findings.append(
        Finding(
            "ok",
            f"Project {project['id']}, {project.get('title')!r}: "
            f"{counted(project['task_number'], 'task')}, "
            f"{counted(project.get('total_predictions_number') or 0, 'prediction')}.",
        )
    )
    if project.get("evaluate_predictions_automatically"):
        findings.append(
            Finding(
                "warning",
                "The project requests predictions from its ML backend whenever tasks are listed.",
                "turn this off in the project's settings while labelnext reads.",
            )
        )


def _check_predictions(
    client: Client, source: LabelStudioSource, project: dict[str, Any], findings: list[Finding]
) -> None:
    tags = project["parsed_label_config"] or {}
    source = with_tag(client, source, project)
    setup = read_setup(client, project, source, Context())
    able = [f"{name} ({t['type']})" for name, t in tags.items() if t.get("type") in CONTROLS]
    findings.append(
        Finding(
            "ok",
            f"Reading predictions of {', '.join(setup.tags)} with "
            f"{counted(len(setup.classes), 'class', 'classes')}; supported control tags: "
            f"{', '.join(able)}.",
        )
    )
    versions = find_versions(client, source.number)
    if not versions:
        findings.append(Finding("ok", "The project has no predictions."))
        return
    counts = some([f"{v['model_version']!r} ({v['count']})" for v in versions])
    said = f"Model versions, newest first: {counts}."
    if len(versions) > 1 and source.model_version is None:
        hint = "each task's newest prediction counts; set source.model_version to read one version."
        findings.append(Finding("warning", said, hint))
    else:
        findings.append(Finding("ok", said))
    tasks = Tasks()
    members, _ = choose_versions(client, source, setup, [])
    if not members:  # all were deleted since the list above
        return
    read_page(client, source.number, members, tasks, find_part(client, source))
    item_ids = [str(i) for i in tasks.ids]
    pool = make_pool(members, tasks.ids, item_ids, tasks.annotated, [], merge=source.merge)
    findings += _what_they_hold(pool, _or([repr(name) for name in members]))


def _what_they_hold(pool: Pool, wanted: str) -> list[Finding]:
    kind = "nothing that can be scored"
    if pool.probabilities is not None:
        kind = "class probabilities"
    elif pool.answers:
        kind = "one confidence per task"
    elif pool.objects is not None:
        kind = "objects with confidences"
    able = [n for n in acquisition_names() if get_acquisition(n).obstacle(pool) is None]
    present = int((~pool.missing).sum())
    findings = [
        Finding(
            "ok" if present else "warning",
            f"Predictions of {wanted} on {present} of the first {counted(len(pool), 'task')}: "
            f"{kind}; usable acquisition functions: {', '.join(able) or 'none'}.",
        )
    ]
    findings += [
        Finding("warning", f"In the first {counted(len(pool), 'task')}: {n.message}")
        for n in pool.notices
    ]
    return findings


__all__ = ["TESTED_SDKS", "TESTED_SERVERS", "check"]


def _or(names: list[str]) -> str:
    """Names of versions, one of which is meant."""
    return " or ".join(names) if len(names) <= 5 else f"one of {counted(len(names), 'version')}"
