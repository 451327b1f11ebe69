"""Options: their descriptions."""

from __future__ import annotations

from pydantic import Field, create_model

from labelnext.adapter.options import Options, described


class Shelf(Options):
    """Where items stand."""

    shelf: int = 1
    """Which shelf,
    from below."""
    side: str = Field("left", description="Left or right.")
    """Not this."""
    depth: float = 0.5


class Deep(Shelf):
    depth: float = 0.7
    """In metres."""


class _Bare(Options):
    pass


def texts(model: type[Options]) -> dict[str, str | None]:
    return {name: field.description for name, field in described(model).items()}


def test_a_model_without_options_describes_nothing() -> None:
    assert texts(_Bare) == {}


def test_an_option_is_described_by_its_field_or_the_string_below_it() -> None:
    assert texts(Shelf) == {
        "shelf": "Which shelf,\nfrom below.",
        "side": "Left or right.",
        "depth": None,
    }
    assert texts(Deep)["depth"] == "In metres."


def test_a_schema_has_the_descriptions_also_of_models_inside() -> None:
    room = create_model("Room", __base__=Options, kept=(Deep, ...))  # no source of its own
    schema = room.model_json_schema()
    (inner,) = schema["$defs"].values()
    assert inner["properties"]["shelf"]["description"] == "Which shelf,\nfrom below."
    assert inner["properties"]["depth"]["description"] == "In metres."
    assert "description" not in schema["properties"]["kept"]
