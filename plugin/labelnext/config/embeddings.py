"""`source.embeddings`: what labelnext makes embeddings of, and by which model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, create_model, model_validator

from labelnext.adapter.options import Options
from labelnext.embeddings.packages import PACKAGES
from labelnext.errors import ConfigError, listed, shown, unknown
from labelnext.support.kinds import Misfit, fit

_PLAIN = ("text", "images")
KINDS = (*_PLAIN, "onnx", *PACKAGES)


class _ByModel(Options):
    onnx: Path | None = None
    """File of a model in ONNX format that takes an image; its first output is the embedding."""
    size: int = Field(224, ge=1, le=4096)
    """For a model in ONNX format: the side of the square that it takes, in pixels."""
    mean: list[float] = Field(default_factory=lambda: [0.485, 0.456, 0.406])
    """For a model in ONNX format: what is subtracted from red, green and blue in [0, 1]."""
    std: list[float] = Field(default_factory=lambda: [0.229, 0.224, 0.225])
    """For a model in ONNX format: by what they are divided then."""
    model: str | None = None
    """For a package: the folder of a model, or its name on Hugging Face if it was fetched."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.kind == "onnx") != (self.onnx is not None):
            raise ValueError("must name a file as onnx, or be from text or images")
        if (self.kind in PACKAGES) != (self.model is not None):
            raise ValueError(f"must name a model with one of {', '.join(PACKAGES)}, and only then")
        if len(self.mean) != 3 or len(self.std) != 3 or 0 in self.std:
            raise ValueError("must have three numbers each for mean and std, and none of std 0")
        return self

    @property
    def kind(self) -> str:
        """What embeddings are made of, or by: text, images, onnx or the name of a package."""
        return str(getattr(self, "from"))


if TYPE_CHECKING:
    Embeddings = _ByModel
else:  # `from` is a word of Python, which no class body can name
    _FROM = "What to make them of, or by: text, images, onnx (a model of images), or a package."
    Embeddings = create_model(
        "Embeddings",
        __base__=_ByModel,
        **{"from": (Literal[KINDS], Field(description=_FROM))},
    )


def of_kind(value: Any, check: Callable[[Any], Any]) -> Any:
    """Takes {from: {onnx: …, size: …}} as {from: onnx, onnx: …, size: …}.

    Of a package, {from: {timm: …}} is {from: timm, model: …}.
    """
    if not isinstance(value, Mapping) or ("onnx" in value and "from" not in value):
        if value is not None and not isinstance(value, _ByModel):
            raise ValueError("must be a mapping such as {from: text} or {from: {onnx: model.onnx}}")
        return check(value)
    inner = value.get("from")
    rest = {k: v for k, v in value.items() if k != "from"}
    whole = {**rest, **_flat(inner)} if isinstance(inner, Mapping) else value
    for key, kind in (("onnx", Path | None), ("model", str | None)):
        try:
            fit(whole.get(key), kind)
        except Misfit as misfit:
            message = f"embeddings must have as {key} {misfit.rule}; got {shown(misfit.value)}."
            raise ConfigError(message, hint=misfit.hint) from None
    return check(whole)


def _flat(inner: Mapping[Any, Any]) -> dict[str, Any]:
    named = [key for key in inner if key in PACKAGES]
    others = [str(key) for key in inner if key != named[0]] if named else []
    if others:
        raise ValueError(f"must have {named[0]} with its model alone; got also {listed(others)}")
    if named:
        return {"from": named[0], "model": inner[named[0]]}
    allowed = [name for name in _ByModel.model_fields if name != "model"]
    for key in inner:
        if key not in allowed:
            raise unknown("a key of from", str(key), [*allowed, *PACKAGES])
    return {"from": "onnx", **inner}


__all__ = ["KINDS", "Embeddings", "of_kind"]
