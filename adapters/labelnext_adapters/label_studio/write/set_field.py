"""The one request that sets a data key of tasks that are named."""

from __future__ import annotations

import re

from labelnext.errors import WriteFailed, WriteRefused
from labelnext.support.words import counted
from labelnext_adapters.label_studio.server.client import Client
from labelnext_adapters.label_studio.write.priorities import SetField


def set_field(client: Client, project: int, name: str, request: SetField) -> None:
    """Set one data key of these tasks; no other key and no other task is touched.

    Raises:
        WriteRefused: if the request names no task, which the server takes for all tasks.
        WriteFailed: if the server says that it changed more tasks than were named.
    """
    if not request.ids:
        raise WriteRefused(
            "a write must name its tasks; got none, which Label Studio takes to mean all tasks."
        )
    answer = client.send(
        "POST",
        "api/dm/actions/",
        {
            "selectedItems": {"all": False, "included": list(request.ids)},
            "value_name": name,
            "value_type": request.kind,
            "value": request.value,
        },
        id="add_data_field",
        project=project,
    )
    said = re.search(r"\d+", str(answer.get("detail", "")))
    if said and int(said.group()) > len(request.ids):
        raise WriteFailed(
            f"the server reported {said.group()}; labelnext asked it to change only "
            f"{counted(len(request.ids), 'task')}.",
            hint="labelnext may not be tested with this version of Label Studio.",
        )


__all__ = ["set_field"]
