"""A pool in parts is scored, ordered on disk, and written as a dataset of Parquet files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from labelnext.adapter.options import output_place
from labelnext.adapter.protocol import Part, Streams
from labelnext.config.config import Config
from labelnext.errors import WriteRefused, listed
from labelnext.journal.carry_out import Performer
from labelnext.journal.journal import Journal
from labelnext.journal.lock import hold
from labelnext.journal.plan import Progress, Step
from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext.ranking.dataset import HOW
from labelnext.ranking.recipe import Recipe
from labelnext.runs.job import Stages
from labelnext.runs.large.batch import batch_of
from labelnext.runs.large.choices import needs_survey
from labelnext.runs.large.class_counts import Counting, is_wanted
from labelnext.runs.large.engines import get_engine, ready
from labelnext.runs.large.findings import Summary, ranked_table
from labelnext.runs.large.first import first_in_order
from labelnext.runs.large.guide import Guide
from labelnext.runs.large.limits import first_pool, recipe_of_parts, skips
from labelnext.runs.large.look import Look
from labelnext.runs.large.near_ranks import NearRanks, near_ranks
from labelnext.runs.large.order import Order, Scores, opened_scores
from labelnext.runs.large.part import Scored, Task, fingerprint
from labelnext.runs.large.part_findings import judged
from labelnext.runs.large.ranges import Ranked, Split, range_starts
from labelnext.runs.large.score_part import Scoring
from labelnext.runs.large.survey import SAMPLE_SIZE, Survey, make_guide
from labelnext.support.files import real_path
from labelnext.support.started import CONFIG, how
from labelnext.support.store import MANIFEST, Store, is_run_id, is_url, manifest_of
from labelnext.support.threads import in_order

if TYPE_CHECKING:
    import pyarrow as pa

STEP = "ranking_dataset"
BATCH = "batch.jsonl"


class LargePerformer(Performer):
    """Carries out and takes back the one step.

    Args:
        settings: the configuration.
        platform: the open adapter.
        journal: of the run.
        progress: called with a stage, how much is done, and of how much.
        parts: of the pool.
        stages: where times are noted.
        first: the first part that can be read; read when None.

    Attributes:
        summary: what the run found, once this process carried it out.
    """

    def __init__(
        self,
        settings: Config,
        platform: Streams,
        journal: Journal,
        progress: Progress | None,
        parts: Sequence[Part] = (),
        stages: Stages | None = None,
        first: Pool | None = None,
    ) -> None:
        self._settings, self._platform, self._journal = settings, platform, journal
        self._first = first
        self.progress, self._parts = progress, list(parts)
        self._stages = stages or Stages()
        self.summary: Summary | None = None

    def snapshot(self, step: Step) -> Any:
        """The manifest that is there."""
        store = self._store(step)
        store.check_ours()
        content = store.read_bytes(MANIFEST)
        return {"manifest": None if content is None else content.decode()}

    def perform(self, step: Step) -> None:
        """Score the parts that are not scored, order all, write; then the manifest names it."""
        with ready(self._settings):
            self._perform(step)

    def _perform(self, step: Step) -> None:
        store, run = self._store(step), self._journal.run_id
        store.sweep()
        if self._current(store) == run:  # it broke off later; some scores may be gone already
            self._tidy(store)
            return
        kept = step.payload.get("recipe")  # a run that is resumed keeps to what it began with
        asked = self._settings.recipe if kept is None else Recipe.from_dict(kept)
        with self._stages.timed("score"):
            recipe = self._recipe(asked, f"{run}/scores", store)
            self._journal.record("recipe", recipe=recipe.to_dict())
            whole = fingerprint(self._parts) if needs_survey(recipe) else None
            scoring = Scoring(recipe, f"{run}/scores", skips(self._settings), whole)
            guide = None if whole is None else self._guide(scoring, store)
            scored = self._each(scoring, store, "score")
        with self._stages.timed("order"):
            order = step.payload.get("order", "all")
            self.summary = self._order(scored, scoring, store, guide, order)

    def _each(
        self, what: Task, store: Store, stage: str, parts: Sequence[Part] | None = None
    ) -> Scored:
        """What was found in all parts of the pool, or in others."""
        total, done = Scored(), 0
        parts = self._parts if parts is None else parts
        engine = get_engine(self._settings.rest.engine)
        rows = sum(part.rows for part in parts)
        size = max(rows // max(len(parts), 1), 1)
        for scored in engine(self._settings, self._platform, parts, what, store):
            total.add(scored)
            done += scored.counts.get("items", size)
            if self.progress is not None:
                self.progress(stage, min(done, rows), rows)
        return total

    def _recipe(self, asked: Recipe, folder: str, store: Store) -> Recipe:
        """The recipe of all parts, for which labelled objects may have to be counted."""
        first, counts = self._first, None
        if first is None:
            first = first_pool(self._settings, self._platform, self._parts)
        if is_wanted(asked, first):
            counting = Counting(folder, skips(self._settings))
            self._each(counting, store, "count")
            counts = counting.total(self._parts, store)
        return recipe_of_parts(self._settings, self._platform, self._parts, first, counts, asked)

    def _guide(self, scoring: Scoring, store: Store) -> Guide:
        """What a survey of the embeddings finds."""
        rows = sum(part.rows for part in self._parts)
        share = min(1.0, SAMPLE_SIZE / max(rows, 1))
        survey = Survey(scoring, share)
        self._each(survey, store, "survey")
        return make_guide(scoring.recipe, survey, self._parts, store)

    def _order(
        self, scored: Scored, scoring: Scoring, store: Store, guide: Guide | None, order: Order
    ) -> Summary:
        """Order all scores, or take the batch alone, and write."""
        import pyarrow as pa

        pa.default_memory_pool().release_unused()  # the sort needs what scoring has done with
        run = self._journal.run_id
        files = [scoring.name(part) for part in self._parts]
        n, alone, near = scored.counts.get("ranked", 0), order != "all", None
        temporary = self._settings.state / f"{run}.sort"
        with opened_scores(store, files, integers=scored.integers, folder=temporary) as scores:
            chosen, notices = batch_of(scoring, scores, self._parts, store, guide, n)
            budget = min(n if scoring.recipe.budget is None else scoring.recipe.budget, n)
            if chosen is not None:  # what must come in may have no score
                budget = len(chosen)
                unscored = int(chosen.column("score").null_count)
                n = budget if scoring.recipe.acquisition is None else n + unscored
            summary = Summary(scored, budget, scoring.recipe, n, notices)
            if alone and chosen is None:
                chosen = first_in_order(scoring, scored, self._parts, store, budget, self._each)
            written = [self._write(store, chosen, n, summary)] if chosen else []
            whole = self._digest(store, written)
            if not alone:
                written += self._in_ranges(store, scoring, scores, whole, written, n, summary)
            store.write_lines(f"{run}/{BATCH}", _batch_rows(store, written, summary.n_batch))
            n_alike = self._look(store, scoring, whole, summary)
            if alone and chosen is not None:
                scores.add("batch", chosen)
                if n_alike != len(chosen):  # one is there twice, or not all were looked for
                    scores.refuse_twice("item_id IN (SELECT item_id FROM batch)")
            if order == "approximate" and written:
                first = written[0]["path"]
                near = near_ranks(scores, scoring, whole, f"{run}/rest", first, budget, n)
        rest = None if near is None else self._behind(near, store, summary)
        summary.calibration = judged(store, [scoring.evidence(part) for part in self._parts])
        self._publish(store, written, summary, rest)
        self._tidy(store)
        return summary

    def _write(self, store: Store, batch: pa.Table, n: int, summary: Summary) -> dict[str, Any]:
        """The file of the batch, which nobody reads before the manifest names it."""
        table = ranked_table(batch, np.arange(1, len(batch) + 1), n, summary.budget)
        name = f"{self._journal.run_id}/part-00000.parquet"
        store.write_table(name, table)
        summary.add(table)
        if self.progress is not None:
            self.progress("order", len(table), len(table))
        return {"path": name, "rows": len(table)}

    def _in_ranges(
        self,
        store: Store,
        scoring: Scoring,
        scores: Scores,
        whole: str,
        written: Sequence[Mapping[str, Any]],
        n: int,
        summary: Summary,
    ) -> list[dict[str, Any]]:
        """The files of all items, or of those behind the batch; its ranges are made by workers."""
        found, integers = summary.scored, scores.integers
        starts = range_starts(found.sample, n, integers=integers)
        batch = written[0]["path"] if written else None
        split = Split(scoring, whole, tuple(starts), integers, batch)
        groups = split.groups(self._parts)
        self._each(split, store, "sort", groups)
        first = 1 + sum(file["rows"] for file in written)
        ranges = split.ranges(groups, store, first)
        ranked = Ranked(self._journal.run_id, integers, n, summary.budget)
        if self._each(ranked, store, "order", ranges).counts.get("alike"):
            scores.check_distinct()
        files = {ranked.name(one): one.rows for one in ranges if one.rows}
        for name in files:
            if summary.lacks:
                summary.add(store.read_table(name))
        return [{"path": name, "rows": n_rows} for name, n_rows in files.items()]

    def _look(self, store: Store, scoring: Scoring, whole: str, summary: Summary) -> int:
        """What the report says of all scores, and of the batch; how many have an id of it."""
        batch = f"{scoring.folder}/batch.parquet"
        store.write_table(batch, summary.counted)
        look = Look(scoring, whole, batch, summary.between, summary.sampled)
        found = self._each(look, store, "look")
        samples = in_order(lambda part: store.read_columns(look.name(part)), self._parts)
        summary.look_at(found, samples)
        return found.objects.get("items", 0)

    def _digest(self, store: Store, written: Sequence[Mapping[str, Any]]) -> str:
        """Of all parts and of the batch; what follows from them isn't kept where they changed."""
        batch = store.read_bytes(written[0]["path"]) if written else None
        return f"{fingerprint(self._parts)[:16]}-{hashlib.sha256(batch or b'').hexdigest()[:16]}"

    def _behind(self, ranks: NearRanks, store: Store, summary: Summary) -> dict[str, Any]:
        """Write approximate ranks of what is behind the batch, part by part."""
        n_rows = self._each(ranks, store, "rank").counts.get("ranked", 0)
        summary.notices.append(
            Notice(
                "approximate_ranks",
                f"ranks behind the batch are approximate: each is within {ranks.within:,} of the "
                "exact one.",
            )
        )
        return ranks.told(self._parts, n_rows)

    def _publish(
        self,
        store: Store,
        files: list[dict[str, Any]],
        summary: Summary,
        approximate: dict[str, Any] | None,
    ) -> None:
        """Name the run's files as the ranking; readers of the manifest see one whole run."""
        earlier, ranking = self._earlier(), summary.ranking
        store.write_json(
            MANIFEST,
            {
                "run": self._settings.write.run,
                "run_id": self._journal.run_id,
                "created": datetime.now(UTC).isoformat(timespec="seconds"),
                **{name: getattr(ranking, name) for name in HOW},
                "rows": sum(file["rows"] for file in files),
                "batch": {"path": f"{self._journal.run_id}/{BATCH}", "rows": summary.n_batch},
                "files": files,
                **({"approximate": approximate} if approximate else {}),
                "previous": earlier,
            },
        )

    def _tidy(self, store: Store) -> None:
        """Remove rankings that nothing leads to any more, and what this one was made from."""
        run = self._journal.run_id
        for folder in (*_superseded(store, {run, self._earlier()}), f"{run}/scores"):
            store.remove_folder(folder)

    def _earlier(self) -> str | None:
        """The run whose ranking was there before; undo puts it back, so its files stay."""
        content = self._journal.befores[0]["manifest"]
        manifest = None if content is None else manifest_of(content)
        return None if manifest is None else str(manifest["run_id"])

    def restore(self, step: Step, before: Any) -> list[str]:
        """Put the earlier manifest back, and remove the files of this run."""
        store = self._store(step)
        store.sweep()
        self._current(store)
        if before["manifest"] is None:
            store.remove(MANIFEST)
        else:
            self._check_there(store, before["manifest"])
            store.write_bytes(MANIFEST, before["manifest"].encode())
        store.remove_folder(self._journal.run_id)
        return []

    def _current(self, store: Store) -> str | None:
        """The run whose ranking is there; refuses any but this one and the one that it replaces."""
        content = store.read_bytes(MANIFEST)
        manifest = None if content is None else manifest_of(content)
        current = None if manifest is None else str(manifest["run_id"])
        if current not in (None, self._journal.run_id, self._earlier()) or (
            content is not None and manifest is None
        ):
            raise WriteRefused(
                f"left the ranking in {store.place!r} alone: "
                f"{f'run {current}' if current else 'something other than labelnext'} wrote it, "
                f"not run {self._journal.run_id}.",
                hint="undo that run first.",
            )
        return current

    def _check_there(self, store: Store, earlier: str) -> None:
        """Refuse to put back a ranking whose files are gone."""
        manifest = manifest_of(earlier) or {"run_id": "?", "files": []}
        names = {str(file["path"]).partition("/")[0] for file in manifest["files"]}
        if missing := names - set(store.folders()):
            raise WriteRefused(
                f"run {self._journal.run_id} can't be undone: a later run removed the ranking "
                f"it had replaced, that of run {listed(sorted(missing))}.",
                hint=f"run {how('run', CONFIG)} for a new ranking.",
            )

    def _store(self, step: Step) -> Store:
        """The folder of the ranking.

        Raises:
            WriteRefused: if the configuration neither names it nor has it in its folder.
        """
        folder, directory = step.payload["place"], self._settings.directory.absolute()
        named = str(output_place(self._settings.write, directory))
        if is_url(folder):
            allowed = folder.rstrip("/") == named.rstrip("/")
        else:
            folder = str(directory / folder)
            real = real_path(folder)
            allowed = real.is_relative_to(os.path.realpath(directory)) or (
                not is_url(named) and str(real) == os.path.realpath(named)
            )
        if not allowed:
            raise WriteRefused(
                f"run {self._journal.run_id} wrote {folder!r}, which this configuration doesn't "
                "name.",
                hint="if the run belongs to this configuration, set write.output to that path.",
            )
        return Store(folder)

    def held(self, journal: Journal) -> AbstractContextManager[object]:
        """A lock on the folder of the ranking: two configurations may share it."""
        store = self._store(journal.plan.steps[0])
        if not store.local:
            return nullcontext()
        return _held(Path(store.root), journal.run_id)


@contextmanager
def _held(folder: Path, run_id: str) -> Iterator[None]:
    """Lock a folder for one run, and leave no lock behind."""
    path = folder / ".lock"
    with suppress(OSError):  # said where the first file is written
        folder.mkdir(parents=True, exist_ok=True)
    try:
        with hold(path, run_id, f"another run is writing to {str(folder)!r}: run", leave=False):
            yield
    finally:
        with suppress(OSError):
            folder.rmdir()  # unless there is something in it


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


def _superseded(store: Store, kept: set[str | None]) -> list[str]:
    """Folders of runs whose ranking neither stands nor would be put back."""
    return [name for name in store.folders() if name not in kept and is_run_id(name)]
