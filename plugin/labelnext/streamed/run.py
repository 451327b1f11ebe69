"""run(config) for a pool of many files: score the parts, order them on disk, write a dataset."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labelnext.adapter import Adapter, Journal, Part, Plan, Progress, Step, Streams, Target
from labelnext.config import Config
from labelnext.errors import ConfigError, WriteRefused
from labelnext.journal import carry_out, only_run, take_back
from labelnext.output import check_writable, write_atomically
from labelnext.pool import Notice
from labelnext.report import Report, summarise, versions
from labelnext.scoring import follow
from labelnext.streamed.asked import (
    check_streamable,
    first_pool,
    recipe_of_parts,
    skips,
    without_limits,
)
from labelnext.streamed.batches import batch_of
from labelnext.streamed.choice import picks_in_clusters, picks_in_rounds
from labelnext.streamed.counting import Counting, is_wanted
from labelnext.streamed.engines import get_engine
from labelnext.streamed.guides import SAMPLE_SIZE, Guide, Survey, make_guide
from labelnext.streamed.ordering import in_order, opened_scores
from labelnext.streamed.parts import Scored, Task
from labelnext.streamed.published import HOW, output_place
from labelnext.streamed.scoring import Scoring
from labelnext.streamed.store import MANIFEST, Store
from labelnext.streamed.summary import Summary, ranked_table

if TYPE_CHECKING:
    import pyarrow as pa

STEP = "ranking_dataset"
BATCH = "batch.jsonl"
_RUN = re.compile(r"\d{8}T\d{6}-\d{6}0*")  # never anybody else's folder


def run_streamed(
    settings: Config,
    platform: Adapter,
    parts: list[Part],
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Rank a pool part by part, and write the ranking as a Parquet dataset.

    Args:
        settings: the configuration.
        platform: the open adapter; it must be able to stream.
        parts: of the pool.
        dry_run: look at the first part only, and write nothing.
        progress: called with a stage, how much is done, and of how much.

    Returns:
        The report; its `ranking` holds the batch, the whole order is in the dataset.

    Raises:
        ConfigError: if the configuration asks for what needs the whole pool at once.
        InvalidInput: if the data breaks a rule.
        WriteFailed: if a write broke off; `resume` goes on with the parts that are not scored yet.
    """
    assert isinstance(platform, Streams)
    check_streamable(settings)
    plan = make_plan(settings, parts)
    if dry_run:
        return _dry_run(settings, platform, parts, plan)
    page = settings.report.path and settings.directory / settings.report.path.expanduser()
    if page:
        check_writable(page)
    # What is wrong with the configuration shows before anything begins.
    follow(without_limits(settings.recipe), first_pool(settings, platform, parts))
    recipe = recipe_of_parts(settings, platform, parts)
    with only_run(settings.state):
        details = {"seed": recipe.seed, "recipe": recipe.to_dict()}
        journal = Journal.create(settings.state, plan, details=details)
        performer = StreamedPerformer(settings, platform, journal, progress, parts)
        carry_out(plan, journal, performer, progress)
    report = performer.report(page)
    if page:
        text = report.to_html().encode()
        write_atomically(page, lambda file: file.write(text))
    return report


def is_streamed(journal: Journal) -> bool:
    """Whether a journal is of a run that was scored part by part."""
    return any(step.kind == STEP for step in journal.plan.steps)


def resume_streamed(
    settings: Config, platform: Adapter | Target, journal: Journal, progress: Progress | None
) -> None:
    """Finish a broken run: parts whose scores are there are not scored again."""
    performer = StreamedPerformer(settings, platform, journal, progress)
    carry_out(journal.plan, journal, performer, progress)


def undo_streamed(settings: Config, platform: Adapter | Target, journal: Journal) -> list[str]:
    """Put the earlier ranking back, and remove the files of the run."""
    return take_back(journal, StreamedPerformer(settings, platform, journal, None))


def make_plan(settings: Config, parts: list[Part]) -> Plan:
    """One step: the ranking dataset."""
    place = output_place(settings.write, settings.directory)
    rows = sum(part.rows for part in parts)
    step = Step(
        STEP,
        f"Score {rows:,} items in {len(parts)} parts and write their ranking to {place}",
        rows,
        {"place": str(place)},
    )
    return Plan(settings.source.adapter, settings.write.run, str(place), (step,), output=str(place))


class StreamedPerformer:
    """Carries out and takes back the one step.

    Args:
        settings: the configuration.
        platform: the open adapter.
        journal: of the run.
        progress: called with a stage, how much is done, and of how much.
        parts: of the pool, if they are known already.
    """

    def __init__(
        self,
        settings: Config,
        platform: Adapter | Target,
        journal: Journal,
        progress: Progress | None,
        parts: list[Part] | None = None,
    ) -> None:
        if not isinstance(platform, Streams):
            raise ConfigError(
                f"adapter {settings.source.adapter} must be able to read a pool in parts."
            )
        self._settings, self._platform, self._journal = settings, platform, journal
        self._progress = progress
        self._seconds: dict[str, float] = {}
        self._summary: Summary | None = None
        self._parts = parts or []

    def snapshot(self, step: Step) -> Any:
        """The manifest that is there."""
        content = Store(step.payload["place"]).read_bytes(MANIFEST)
        return {"manifest": None if content is None else content.decode()}

    def perform(self, step: Step) -> None:
        """Score the parts that are not scored, order all, write; then the manifest names it."""
        store = Store(step.payload["place"])
        self._parts = self._parts or self._platform.parts() or []
        start = time.perf_counter()
        run = self._journal.run_id
        counts = self._counts(f"{run}/scores", store)
        recipe = recipe_of_parts(self._settings, self._platform, self._parts, counts)
        scoring = Scoring(recipe, f"{run}/scores", skips(self._settings))
        guide = self._guide(scoring, store)
        scored = self._each(scoring, store, "score")
        self._seconds["score"] = round(time.perf_counter() - start, 3)
        start = time.perf_counter()
        self._summary = self._order(scored, scoring, store, guide)
        self._seconds["order"] = round(time.perf_counter() - start, 3)

    def _each(self, what: Task, store: Store, stage: str) -> Scored:
        """What was found in all parts."""
        total, done = Scored(), 0
        engine = get_engine(self._settings.rest.engine)
        rows = sum(part.rows for part in self._parts)
        size = max(rows // max(len(self._parts), 1), 1)
        for scored in engine(self._settings, self._platform, self._parts, what, store):
            total.add(scored)
            done += scored.counts.get("items", size)
            if self._progress is not None:
                self._progress(stage, min(done, rows), rows)
        return total

    def _counts(self, folder: str, store: Store) -> dict[str, int] | None:
        """Labelled objects of each class, where the scores go by them."""
        first = first_pool(self._settings, self._platform, self._parts)
        if not is_wanted(self._settings.recipe, first):
            return None
        counting = Counting(folder, skips(self._settings))
        self._each(counting, store, "count")
        return counting.total(self._parts, store)

    def _guide(self, scoring: Scoring, store: Store) -> Guide | None:
        """What a survey of the embeddings finds, where the batch goes by them."""
        if not (picks_in_clusters(scoring.recipe) or picks_in_rounds(scoring.recipe)):
            return None
        rows = sum(part.rows for part in self._parts)
        share = min(1.0, SAMPLE_SIZE / max(rows, 1))
        survey = Survey(scoring, share)
        self._each(survey, store, "survey")
        return make_guide(scoring.recipe, survey, self._parts, store)

    def _order(
        self, scored: Scored, scoring: Scoring, store: Store, guide: Guide | None
    ) -> Summary:
        import pyarrow as pa

        pa.default_memory_pool().release_unused()  # the sort needs what scoring has done with
        run = self._journal.run_id
        files = [scoring.name(part) for part in self._parts]
        n = scored.counts.get("ranked", 0)
        temporary = self._settings.state / f"{run}.sort"
        integers = scored.integers
        with opened_scores(store, files, integers=integers, folder=temporary) as scores:
            chosen, notices = batch_of(scoring, scores, self._parts, store, guide, n)
            budget = min(n if scoring.recipe.budget is None else scoring.recipe.budget, n)
            if chosen is not None:  # what must come in may have no score
                budget = len(chosen)
                n = budget if scoring.recipe.acquisition is None else n + _unscored(chosen)
            summary = Summary(scored, budget, scoring.recipe, notices)
            self._write(store, in_order(scores, chosen), n, summary)
        store.remove_folder(scoring.folder)
        return summary

    def _write(self, store: Store, tables: Iterator[pa.Table], n: int, summary: Summary) -> None:
        """The ranking's files, its batch, and last the manifest that names them."""
        run = self._journal.run_id
        written: list[dict[str, Any]] = []
        first = 1
        for found in tables:
            table = ranked_table(found, first, n, summary.budget)
            name = f"{run}/part-{len(written):05d}.parquet"
            store.write_table(name, table)
            summary.add(table)
            written.append({"path": name, "rows": len(table)})
            first += len(table)
            if self._progress is not None:
                self._progress("order", first - 1, n)
        store.write_lines(f"{run}/{BATCH}", _batch_rows(store, written, summary.n_batch))
        self._publish(store, written, n, summary)

    def _publish(
        self, store: Store, files: list[dict[str, Any]], rows: int, summary: Summary
    ) -> None:
        """Name the run's files as the ranking; whoever reads the manifest sees one run, whole."""
        earlier, ranking = self._earlier(), summary.ranking
        store.write_json(
            MANIFEST,
            {
                "run": self._settings.write.run,
                "run_id": self._journal.run_id,
                "created": datetime.now(UTC).isoformat(timespec="seconds"),
                **{name: getattr(ranking, name) for name in HOW},
                "rows": rows,
                "batch": {"path": f"{self._journal.run_id}/{BATCH}", "rows": summary.n_batch},
                "files": files,
                "previous": earlier,
            },
        )
        for folder in _superseded(store, {self._journal.run_id, earlier}):
            store.remove_folder(folder)

    def _earlier(self) -> str | None:
        """The run whose ranking was there before; undo puts it back, so its files stay."""
        content = self._journal.befores[0]["manifest"]
        return None if content is None else str(json.loads(content)["run_id"])

    def restore(self, step: Step, before: Any) -> list[str]:
        """Put the earlier manifest back, and remove the files of this run."""
        store = Store(step.payload["place"])
        content = store.read_bytes(MANIFEST)
        current = None if content is None else json.loads(content)["run_id"]
        if current not in (None, self._journal.run_id, self._earlier()):
            raise WriteRefused(
                f"the ranking in {step.payload['place']!r} is of run {current}, "
                f"not of {self._journal.run_id}; it was left alone.",
                hint="undo that run first.",
            )
        if before["manifest"] is None:
            store.remove(MANIFEST)
        else:
            store.write_bytes(MANIFEST, before["manifest"].encode())
        store.remove_folder(self._journal.run_id)
        return []

    def report(self, page: Path | None) -> Report:
        """What the run found and did."""
        assert self._summary is not None
        found = self._summary.parts_of_report()
        return _report(
            self._settings,
            self._journal.plan,
            run_id=self._journal.run_id,
            dry_run=False,
            seed=self._settings.selection.seed,
            input_hash=_fingerprint(self._parts),
            seconds=self._seconds,
            path=page,
            output=Path(self._journal.plan.target),
            **found,
        )


def _dry_run(settings: Config, platform: Streams, parts: list[Part], plan: Plan) -> Report:
    """The first part, ranked in memory, and what would be written."""
    pool = first_pool(settings, platform, parts)
    ranking = follow(without_limits(settings.recipe), pool)
    message = f"a dry run looks at the first of {len(parts)} parts; its rows are numbered from 0."
    found = summarise(pool, ranking, [Notice("first_part", message)])
    return _report(settings, plan, run_id=None, dry_run=True, seconds={}, **found)


def _report(settings: Config, plan: Plan, **found: Any) -> Report:
    """A report of what the plan says and of what was found."""
    return Report(
        run=plan.run,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        adapter=settings.source.adapter,
        target=plan.target,
        steps=[step.description for step in plan.steps],
        stays=plan.stays,
        next_steps=plan.next_steps,
        undo=f"labelnext undo {settings.path or 'CONFIG'}",
        config=settings.to_dict(),
        versions=versions(("pyarrow", "duckdb")),
        **found,
    )


def _batch_rows(
    store: Store, files: list[dict[str, Any]], n_batch: int
) -> Iterator[dict[str, Any]]:
    """The batch, from the files of the ranking: it may be as large as the pool."""
    for file in files:
        if n_batch <= 0:
            return
        table = store.read_table(file["path"]).slice(0, n_batch).drop_columns(["batch"])
        for part in table.to_batches(max_chunksize=10_000):
            yield from part.to_pylist()
        n_batch -= len(table)


def _unscored(batch: pa.Table) -> int:
    return int(batch.column("score").null_count)


def _superseded(store: Store, kept: set[str | None]) -> list[str]:
    """Folders of runs whose ranking neither stands nor would be put back."""
    return [name for name in store.folders() if name not in kept and _RUN.fullmatch(name)]


def _fingerprint(parts: list[Part]) -> str:
    data = [[part.name, part.rows, dict(part.payload)] for part in parts]
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()
