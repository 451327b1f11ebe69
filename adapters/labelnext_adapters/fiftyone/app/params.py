"""The parameters of the forms: of the right kinds, also where a script gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labelnext.errors import InvalidInput

_KINDS = {
    "text": (
        "acquisition action budget_in class_weights document_root embeddings field first labelled "
        "labels level method near new_name no_objects object_embeddings of pred_field pred_values "
        "purpose quota quota_numbers quota_of reduce run second slice whole"
    ),
    "a number": (
        "budget dedupe floor hours like_strength min_distance per_group project seconds seed"
    ),
    "true or false": "calibrate frames like_selected objects show",
    "a list of texts": "attributes fields others",
    "text or a list of texts": "groups",
}
_KIND_OF = {name: kind for kind, names in _KINDS.items() for name in names.split()}


def check_params(params: Mapping[str, Any]) -> None:
    """Check that each parameter of a form is of its kind; one without a value is.

    Names that no form has are left alone: the App also sends the texts that it shows.

    Raises:
        InvalidInput: if one is of another kind.

    Example:
        >>> check_params({"budget": 5, "pred_field": None, "others": ["a"]})
        >>> check_params({"quota": {"car": 5}})
        Traceback (most recent call last):
        labelnext.errors.InvalidInput: quota must be text; got {'car': 5}.
    """
    for name, value in params.items():
        kind = _KIND_OF.get(name)
        if kind is not None and value not in (None, "") and not _is(kind, value):
            raise InvalidInput(f"{name} must be {kind}; got {value!r}.")


def _is(kind: str, value: Any) -> bool:
    texts = isinstance(value, (list, tuple)) and all(isinstance(part, str) for part in value)
    match kind:
        case "text":
            return isinstance(value, str)
        case "a number":
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        case "true or false":
            return isinstance(value, bool)
        case "a list of texts":
            return texts
        case _:
            return texts or isinstance(value, str)
