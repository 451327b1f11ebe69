"""Label Studio as the place where a batch of another platform is labelled."""

from __future__ import annotations

from contextlib import AbstractContextManager, suppress
from hashlib import sha256
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Literal

from pydantic import Field, SecretStr, field_validator

from labelnext.adapter import Context, SendOptions
from labelnext.errors import ConfigError, Unavailable
from labelnext.journal import Journal, Plan, carry_out, hold, take_back
from labelnext_adapters.label_studio.address import checked_key, checked_url

if TYPE_CHECKING:
    from labelnext.batch import Batch, Labels, Origin
    from labelnext_adapters.label_studio.client import Client


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


class LabelStudioTarget:
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
                f"send.{missing} must be given to send to Label Studio; it is not.",
                hint="labelnext.yaml needs send: {url: …, api_key: ${LABEL_STUDIO_API_KEY}}.",
            )
        self._url, self._api_key = options.url, options.api_key
        self._options, self._context = options, context
        self._client: Client | None = None

    @property
    def client(self) -> Client:
        """The connection, made when first used."""
        if self._client is None:
            from labelnext_adapters.label_studio.client import Client

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
        from labelnext_adapters.label_studio.sending import make_plan

        return make_plan(self.client, self._options, batch, self._context)

    def apply(self, plan: Plan, journal: Journal) -> None:
        """Do what the plan says and the journal does not hold as done.

        Raises:
            ConfigError: if another sending is under way, as far as this machine knows.
            WriteFailed: if it breaks off.
        """
        from labelnext_adapters.label_studio.sending import Sender

        sender = Sender(self.client, self._context)
        with self._only_sender(journal):
            carry_out(plan, journal, sender)  # the sender itself reports how many items are there
        if sender.remarks:
            journal.record("remarks", lines=sender.remarks)
        # All is sent: a server that goes away only now costs the address, not the batch.
        with suppress(Unavailable):
            journal.record("next_steps", lines=list(sender.next_steps(plan)))

    def undo(self, journal: Journal) -> list[str]:
        """Take away the tasks that were made and that nobody has worked on."""
        from labelnext_adapters.label_studio.sending import Sender

        with self._only_sender(journal):
            return take_back(journal, Sender(self.client, self._context))

    def _only_sender(self, journal: Journal) -> AbstractContextManager[None]:
        """Two sendings at once could both find a task missing, and make it twice."""
        name = sha256(self._url.encode()).hexdigest()[:16]
        path = Path(gettempdir()) / f"labelnext-send-{name}.lock"
        return hold(path, journal.run_id, f"another sending is under way to {self._url}")

    def labels(self, origin: Origin) -> Labels:
        """What people said of the items that were sent; skipped tasks and drafts are no labels.

        Raises:
            NotFound: if nothing was sent yet, or there is no such project.
        """
        from labelnext_adapters.label_studio.received import received

        return received(self.client, self._options, origin, self._context)

    def close(self) -> None:
        """Let go of connections."""
        if self._client is not None:
            self._client.close()
            self._client = None
