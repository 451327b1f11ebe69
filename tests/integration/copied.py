"""What mode uncertainty leaves in a project: copies of predictions, and settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.integration.label_studio_server import LabelStudio


def copies(label_studio: LabelStudio, project: int) -> dict[int, float]:
    rows = label_studio.api("GET", "/api/predictions/", project=project)
    ours = [(r["task"], r["score"]) for r in rows if r["model_version"].startswith("labelnext:")]
    assert len(dict(ours)) == len(ours), "two copies of one prediction"
    return dict(ours)


def settings(label_studio: LabelStudio, project: int) -> tuple[str, str]:
    now = label_studio.api("GET", f"/api/projects/{project}/")
    return now["sampling"], now["model_version"]


def predictions(label_studio: LabelStudio, project: int) -> list[Any]:
    rows = label_studio.api("GET", "/api/predictions/", project=project)
    kept = ("task", "score", "model_version", "result")
    return sorted(([r[name] for name in kept] for r in rows), key=repr)


def without_times(dump: Any, *more: str) -> Any:
    """What a run leaves as it was: all but when tasks were last changed, and by whom."""
    if isinstance(dump, dict):
        passing = ("updated_at", "updated_by", "unresolved_comment_count", *more)
        return {k: without_times(v, *more) for k, v in dump.items() if k not in passing}
    return [without_times(v, *more) for v in dump] if isinstance(dump, list) else dump


def without_run(dump: Any) -> Any:
    """The same without the id of the run that a copy carries, too."""
    return without_times(dump, "neighbors")
