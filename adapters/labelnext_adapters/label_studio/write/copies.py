"""Mode uncertainty: copies of the predictions, with the priority as their score.

"Label All Tasks" ignores the order of a tab, but with uncertainty sampling Label Studio serves the
lowest score of the project's model version first, and locks a task for the person who gets it. So
each ranked task gets a copy of its prediction, with 1 − priority as the score, under a model
version of its own: the model's predictions stay as they are, and annotators still see the regions.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

import msgspec

from labelnext.adapter.protocol import Context
from labelnext.errors import InvalidInput, LabelnextError, WriteFailed, listed
from labelnext.journal.plan import Step
from labelnext.support.started import CONFIG, how
from labelnext.support.words import counted
from labelnext_adapters.label_studio.read.kept import keep_sent
from labelnext_adapters.label_studio.read.read import stored_predictions
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.server.give_way import give_way
from labelnext_adapters.label_studio.server.predictions import (
    REFUSALS,
    are_sent_each,
    remove_predictions,
    send_each,
    send_predictions,
)
from labelnext_adapters.label_studio.server.project import (
    COPY,
    all_versions,
    count_version,
)
from labelnext_adapters.label_studio.server.tasks import Prediction, alive_tasks
from labelnext_adapters.label_studio.write.copy_stamp import put_stamp, run_of, stamped
from labelnext_adapters.label_studio.write.scores import copy_scores

_NOTHING = msgspec.Raw(b"[]")
_TO_COPY = 120.0  # seconds for copies that are sent one by one; the next run goes on
_TO_UNDO = 600.0  # seconds for the copies of a run that is undone; a thousand take two minutes

#: The model version whose predictions are copied; several where each task's newest is.
Source = str | Sequence[str | None] | None


def copy_version(
    run: str, sources: Sequence[Mapping[str, Any]], task_ids: Sequence[int], *more: Any
) -> str:
    """The model version of the copies, the same for the same ranking of the same predictions.

    Args:
        run: name of the run.
        sources: the model versions that are copied.
        task_ids: of the ranking, next first.
        more: what else the copies hold.
    """
    known = [[row["model_version"], row["latest"], row["count"]] for row in sources]
    return f"{COPY}{run}:{_digest(known)}-{_digest([list(task_ids), *more])}"


def _digest(what: Any) -> str:
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:8]


def of_same_source(one: str | None, other: str) -> bool:
    """Whether two versions are copies of the same predictions, by the same run.

    Example:
        >>> of_same_source("labelnext:a:1234-5678", "labelnext:a:1234-9abc")
        True
    """
    return one is not None and "-" in one and one.rpartition("-")[0] == other.rpartition("-")[0]


@dataclass(frozen=True)
class _Wanted:
    """What the copies of a version are to be.

    Attributes:
        scores: of each task.
        results: of the tasks that get another than that of their source.
        clusters: of some tasks.
        relative: whether clusters are numbered from 0; no earlier number may then come again.
        removed: tasks whose copies go, while those of others stay; None if only `scores` stay.
    """

    scores: Mapping[int, float]
    results: Mapping[int, Any] = field(default_factory=dict)
    clusters: Mapping[int, int] = field(default_factory=dict)
    relative: bool = False
    removed: Sequence[int] | None = None

    def numbered(self, there: Sequence[Prediction], highest: int) -> dict[int, int]:
        """The cluster of each task, as it is stored.

        Of a task, Label Studio counts the highest number of all its predictions.

        Args:
            there: copies of the version.
            highest: number of a cluster among all other predictions; −1 without any.
        """
        if not self.relative:
            return dict(self.clusters)
        # Those of the lowest number are sent first.
        known = [p.cluster for p in there if p.cluster is not None]
        first = min(known, default=highest + 1)
        return {task: first + number for task, number in self.clusters.items()}


class Copies:
    """Adds the copies of a run, and removes those of earlier runs.

    Args:
        client: the server.
        context: for progress.
        remark: called with what the report must say of the write.
    """

    def __init__(self, client: Client, context: Context, remark: Callable[[str], None]) -> None:
        self._client, self._context, self._remark = client, context, remark
        self.left = False  # whether an undo left copies, which the next undo removes

    def snapshot(self, step: Step) -> Any:
        """The existing copies: scores, clusters, runs, and results that aren't their source's."""
        payload = step.payload
        known = {row["model_version"] for row in all_versions(self._client, payload["project"])}
        if not known.intersection(payload["versions"]):
            return {}
        copies, sources, _ = self._read(
            payload["project"], payload["versions"], payload["source"], numbered=False
        )
        return {
            version: {
                "task_ids": [p.task for p in rows],
                "scores": [p.score for p in rows],
                "clusters": {str(p.task): p.cluster for p in rows if p.cluster is not None},
                "results": {
                    str(p.task): json.loads(bytes(p.result))
                    for p in rows
                    if bytes(p.result) != bytes(sources.get(p.task, _NOTHING))
                },
                "runs": {str(p.task): run for p in rows if (run := run_of(p)) is not None},
            }
            for version, rows in copies.items()
        }

    def perform(self, step: Step) -> None:
        """Create the copies, or remove what time allows. Idempotent."""
        payload = step.payload
        ranked: Sequence[int] = payload["task_ids"]
        if not ranked:
            self._remark_each(self._clear(payload["project"], payload["versions"]))
            return
        kept = payload.get("scores")
        # A journal of an earlier version knows no ranking beyond the copies.
        given = kept or copy_scores(len(ranked), payload.get("of"))
        scores = dict(zip(ranked, given, strict=True))
        results, clusters = _by_task(payload.get("results")), _by_task(payload.get("clusters"))
        wanted = _Wanted(scores, results, clusters, relative=True, removed=payload.get("removed"))
        for version in payload["versions"]:
            self._put(payload["project"], version, wanted, payload["source"], seconds=_TO_COPY)

    def restore(self, step: Step, before: Any) -> list[str]:
        """Restore the earlier copies."""
        payload = step.payload
        stayed: list[str] = []
        for version in payload["versions"]:
            if not before.get(version):
                stayed += self._clear(payload["project"], [version], _TO_UNDO)
                continue
            old = before[version]
            scores = dict(zip(old["task_ids"], old["scores"], strict=True))
            # A journal of an earlier version knows no clusters.
            wanted = _Wanted(scores, _by_task(old["results"]), _by_task(old.get("clusters")))
            self._put(payload["project"], version, wanted, payload["source"])
            for task, run in _by_task(old.get("runs")).items():  # nor runs
                copy = stamped(self._client, payload["project"], task, version)
                put_stamp(self._client, copy, run)
        return stayed

    def _remark_each(self, sentences: Sequence[str]) -> None:
        for sentence in sentences:
            self._remark(sentence)

    def _clear(
        self, project: int, versions: Sequence[str], seconds: float | None = None
    ) -> list[str]:
        """Remove the copies of these versions, one by one, as long as the server has time for it.

        Nobody is served by copies that stay: Label Studio looks at one version alone.

        Args:
            project: its number.
            versions: whose copies go.
            seconds: how long to go on at most; a little if None.

        Returns:
            What had to stay; clearing up never fails a run or an undo.
        """
        for attempt in range(REFUSALS + 1):
            try:
                copies, _, _ = self._read(project, versions, None)
                break
            except LabelnextError as error:
                if attempt == REFUSALS:
                    return [f"Left the copies in place: {error.message}"]
        rows = [prediction for version in versions for prediction in copies.get(version, [])]
        gone = remove_predictions(self._client, self._context, rows, seconds=seconds)
        left = len(rows) - gone
        if not left:
            return []
        next_one = "the next runs remove more"
        if seconds is not None and gone:  # another undo would be no better where none went
            self.left = True
            next_one = f"remove more with {how('undo', CONFIG)}, now or later"
        return [
            f"Left {counted(left, 'copy', 'copies')} of {', '.join(map(repr, versions))} in place, "
            f"so that annotators need not wait. Nobody is served by them; {next_one}."
        ]

    def _put(
        self,
        project: int,
        version: str,
        wanted: _Wanted,
        source: Source,
        gone: Set[int] = frozenset(),
        seconds: float = math.inf,
    ) -> None:
        """Make the copies of a version exactly these, but for tasks that are gone.

        The last ones are left to the next run where they take longer than so many seconds.
        """
        numbered = count_version(self._client, project, version) > 0  # else none can change
        copies, sources, highest = self._read(project, [version], source, numbered=numbered)
        there = copies.get(version, [])
        clusters = wanted.numbered(there, highest)
        have: set[int] = set()
        strange, n_others = [], 0
        for prediction in there:
            task = prediction.task
            score = wanted.scores.get(task)
            if score is None and wanted.removed is not None and task not in wanted.removed:
                n_others += 1
            elif score is None or task in have or prediction.cluster != clusters.get(task):
                strange.append(prediction)
            else:
                have.add(task)
                self._rescore(prediction, score)
        remove_predictions(self._client, self._context, strange, patient=True)
        scores = {t: s for t, s in wanted.scores.items() if t not in gone}
        rows = [
            {"task": task, "model_version": version, "score": score}
            | {"result": wanted.results.get(task, sources.get(task, _NOTHING))}
            | ({"cluster": clusters[task]} if task in clusters else {})
            for task, score in scores.items()
            if task not in have
        ]
        left: Set[int] = frozenset()
        whole = True
        try:
            if rows:
                stored, left = self._sent(project, rows, seconds)
                whole = stored + len(left) == len(rows)
            if not whole:
                self._send_without_result(project, version, source, rows)
        except InvalidInput:  # of one task that is gone, the server takes none
            now_gone = wanted.scores.keys() - alive_tasks(self._client, project, self._context)
            if now_gone == gone:
                raise
            self._put(project, version, wanted, source, now_gone, seconds)
            return
        self._remark_missing(gone, len(left))
        self._check_stored(project, version, len(scores) - len(left), n_others)
        if whole and not numbered:
            sent = [row for row in rows if row["task"] not in left]
            keep_sent(self._client, project, sent, self._context)

    def _remark_missing(self, gone: Set[int], n_left: int) -> None:
        if n_left:
            self._remark(
                f"Left {counted(n_left, 'prediction')} uncopied, so that annotators need not wait "
                "for a busy server: their tasks come last, in random order. The next run copies "
                "more."
            )
        if gone:
            self._remark(
                f"Skipped {counted(len(gone), 'ranked task')} deleted since: "
                f"{listed(sorted(gone))}."
            )

    def _check_stored(self, project: int, version: str, wanted: int, n_others: int) -> None:
        stored = count_version(self._client, project, version) - n_others
        if stored != wanted:
            raise WriteFailed(
                f"Label Studio stored {stored} of {counted(wanted, 'prediction')} of {version!r}."
            )

    def _rescore(self, copy: Prediction, score: float) -> None:
        """Give a copy another score, which changes nothing of what people see."""
        if copy.score != score:
            path = f"api/predictions/{copy.id}/"
            start = time.monotonic()
            self._client.send("PATCH", path, {"score": score}, retry=True)
            give_way(time.monotonic() - start)

    def _send_without_result(
        self, project: int, version: str, source: Source, rows: Sequence[dict[str, Any]]
    ) -> None:
        """Label Studio drops what it finds no longer fits the labelling setup; the order counts."""
        copies, _, _ = self._read(project, [version], source)
        have = {p.task for p in copies.get(version, [])}
        dropped = [{**row, "result": _NOTHING} for row in rows if row["task"] not in have]
        self._remark(
            f"Copied {counted(len(dropped), 'prediction')} without regions, which don't fit the "
            f"labelling setup: task {listed(r['task'] for r in dropped)}."
        )
        self._sent(project, dropped, math.inf)

    def _sent(
        self, project: int, rows: Sequence[dict[str, Any]], seconds: float
    ) -> tuple[int, Set[int]]:
        """Send all; those with a cluster alone, as of others in bulk the server takes none.

        Returns:
            How many the server took, and the tasks of those that were not sent for lack of time.
        """
        alone = sorted((row for row in rows if "cluster" in row), key=lambda row: row["cluster"])
        for done, row in enumerate(alone):
            self._context.report("write clusters", done, len(alone))
            start = time.monotonic()
            self._client.send("POST", "api/predictions/", {**row, "project": project}, retry=False)
            give_way(time.monotonic() - start)
        others = [row for row in rows if "cluster" not in row]
        if not are_sent_each(self._client, project, len(others)):
            sent = send_predictions(self._client, self._context, project, others)
            return len(alone) + sent, frozenset()
        sent = send_each(self._client, self._context, project, others, seconds=seconds)
        return len(alone) + sent, {row["task"] for row in others[sent:]}

    def _read(
        self, project: int, versions: Sequence[str], source: Source, *, numbered: bool = True
    ) -> tuple[dict[str, list[Prediction]], dict[int, msgspec.Raw], int]:
        """The copies of these versions, each task's newest result of the source, the clusters.

        Of clusters, the highest number that another prediction has; −1 without any.
        """
        copied = [source] if source is None or isinstance(source, str) else [*source]
        copies: dict[str, dict[int, Prediction]] = {}
        newest: dict[int, Prediction] = {}
        highest = -1
        stored = stored_predictions(self._client, project, self._context, numbered=numbered)
        for prediction in stored:
            if prediction.model_version in versions:
                of_version = copies.setdefault(str(prediction.model_version), {})
                of_version[prediction.id or -prediction.task] = prediction
                continue
            highest = max(highest, -1 if prediction.cluster is None else prediction.cluster)
            if prediction.model_version in copied:
                known = newest.get(prediction.task)
                if known is None or known.id < prediction.id:
                    newest[prediction.task] = prediction
        rows = {version: list(of_version.values()) for version, of_version in copies.items()}
        return rows, {task: p.result for task, p in newest.items()}, highest


def _by_task(values: Mapping[str, Any] | None) -> dict[int, Any]:
    """What JSON holds by the texts of task ids."""
    return {int(task): value for task, value in (values or {}).items()}


__all__ = ["Copies", "copy_version", "of_same_source"]
