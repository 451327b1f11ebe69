"""Label Studio as the place where a batch of another platform is labelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from labelnext.adapter.protocol import Context, Target
from labelnext.errors import ConfigError
from labelnext.journal.carry_out import Performer
from labelnext.journal.journal import Journal
from labelnext.journal.plan import Plan
from labelnext_adapters.label_studio.options import LabelStudioSend

if TYPE_CHECKING:
    from labelnext.adapter.batch import Batch, Labels, Origin
    from labelnext.ranking.ranking import Ranking
    from labelnext_adapters.label_studio.server.client import Client


class LabelStudioTarget(Target):
    """A Label Studio server to which batches are sent; see `labelnext.adapter.Target`.

    Args:
        options: of `send`.
        context: folder and progress.

    Raises:
        ConfigError: if the address or the token is missing.
    """

    def __init__(self, options: LabelStudioSend, context: Context) -> None:
        if options.url is None or options.api_key is None:
            missing = "url" if options.url is None else "api_key"
            raise ConfigError(
                f"send.{missing} is missing; sending to Label Studio needs it.",
                hint="add send: {url: …, api_key: ${LABEL_STUDIO_API_KEY}} to labelnext.yaml.",
            )
        self._url, self._api_key = options.url, options.api_key
        self._options, self._context = options, context
        self._client: Client | None = None

    @property
    def client(self) -> Client:
        """The connection, made when first used."""
        if self._client is None:
            from labelnext_adapters.label_studio.server.client import Client

            bundle = self._options.ca_bundle
            self._client = Client(
                self._url, self._api_key, None if bundle is None else self._context.path(bundle)
            )
        return self._client

    def plan(self, batch: Batch) -> Plan:
        """What sending the batch would do. Changes nothing.

        Raises:
            NotFound: if there is no such project, or it has no control tag for such labels.
            InvalidInput: if images are missing, or are not where the server can show them.
            WriteRefused: if the tab's title is taken.
        """
        from labelnext_adapters.label_studio.send.plan import make_plan

        shown = any(item.media for item in batch.items)
        if not batch.items or (shown and (batch.images_named or self._options.project is None)):
            return make_plan(self.client, self._options, batch, self._context)
        return self._plan_of_tasks(batch)

    def _plan_of_tasks(self, batch: Batch) -> Plan:
        """What a run on the project would write, of a batch whose items are its tasks already."""
        from labelnext.adapter.batch import ranked_there
        from labelnext.pool.checks import among
        from labelnext.ranking.ranking import ranking_alone
        from labelnext_adapters.label_studio.options import LabelStudioSource, LabelStudioWrite
        from labelnext_adapters.label_studio.server.pages import pages_of
        from labelnext_adapters.label_studio.server.project import get_project
        from labelnext_adapters.label_studio.server.standing import find_standing
        from labelnext_adapters.label_studio.server.tasks import TASK_FIELDS, collect, read_tasks
        from labelnext_adapters.label_studio.write.plan import plan_tasks

        client, number = self.client, self._checked_project()
        existing = get_project(client, number)
        project = existing["id"]
        if self._options.key is None:
            ids = [int(i.item_id) for i in batch.items if i.item_id.isdecimal()]
            told = (self._context, "send: look")
            tasks = collect(pages_of(client, project, TASK_FIELDS, ids, *told), None)
        else:
            keyed = replace(self._context, key=self._options.key)
            tasks = read_tasks(client, project, keyed)
        where = f"project {number} of {client.url}"
        tasks.standing = find_standing(client, existing, tasks, None, self._context)
        names = dict(zip(tasks.ids, tasks.item_ids, strict=True))
        ranking, left_out = ranked_there(batch, tasks.item_ids, where)
        gone = [names[task] for task in tasks.standing.left_out]
        ranking = ranking_alone(ranking, ~among(ranking.item_ids, gone))
        ranking = _last(ranking, [names[task] for task in tasks.standing.deferred])
        unusable = [notice.message for notice in tasks.standing.notices(names)]
        source = LabelStudioSource(url=self._url, api_key=self._api_key, project=number)
        write = LabelStudioWrite(run=batch.run)
        plan = plan_tasks(client, source, write, tasks, ranking, self._context)
        return replace(plan, left_out=(*left_out, *unusable))

    def _checked_project(self) -> int:
        """The number of the project whose tasks are ranked.

        Raises:
            NotFound: if no project has the title.
            ConfigError: if no project is named.
        """
        from labelnext.adapter.batch import WHERE_IMAGES
        from labelnext_adapters.label_studio.server.project import find_project

        if self._options.project is None:
            raise ConfigError(
                "send.project must be the number of the project that holds the items as tasks; got "
                "None.",
                hint=f"to create tasks instead, {WHERE_IMAGES}. Import texts and the like with a "
                "data key of their ids, and set send.project and send.key.",
            )
        return find_project(self.client, self._options.project)

    def performer(self, journal: Journal) -> Performer:
        """What sends the batch, or ranks its tasks where they were there before.

        Undo deletes the tasks it created unless someone has worked on them, and restores tasks
        that existed before.
        """
        from labelnext_adapters.label_studio.send.performer import Sender
        from labelnext_adapters.label_studio.write.organization import check_organization
        from labelnext_adapters.label_studio.write.performer import Writer

        check_organization(self.client, journal)
        if _of_tasks(journal.plan):
            self._checked_project()
            return Writer(self.client, self._context, journal)
        return Sender(self.client, self._context, journal)

    def labels(self, origin: Origin) -> Labels:
        """What people said of the items that were sent; skipped tasks and drafts are no labels.

        Raises:
            NothingSent: if nothing was sent yet.
            NotFound: if there is no such project.
        """
        from labelnext_adapters.label_studio.send.labels import received

        return received(self.client, self._options, origin, self._context)

    def close(self) -> None:
        """Let go of connections."""
        if self._client is not None:
            self._client.close()
            self._client = None


def _last(ranking: Ranking, deferred: Sequence[str]) -> Ranking:
    """A ranking of a batch alone, with these items after all others."""
    from labelnext.pool.checks import among

    order = among(ranking.item_ids, deferred).argsort(kind="stable")
    ids, scores = ranking.item_ids[order], ranking.scores[order]
    return replace(ranking, item_ids=ids, scores=scores, pool_order=ids, pool_scores=scores)


def _of_tasks(plan: Plan) -> bool:
    """Whether a plan is of tasks that were there before, as a run on the project has it."""
    return any(step.kind == "fields" for step in plan.steps)
