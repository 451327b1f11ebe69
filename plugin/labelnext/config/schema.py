"""The JSON Schema of the configuration, for completion and checks in editors."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from labelnext.adapter.registry import adapter_names, get_adapter, get_target, target_names
from labelnext.config.sections import SECTIONS
from labelnext.config.source import Rest, Source


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the configuration, including the keys of all installed adapters."""
    definitions: dict[str, Any] = {}

    def schema(model: type[BaseModel]) -> dict[str, Any]:
        made = model.model_json_schema(ref_template="#/$defs/{model}")
        definitions.update(made.pop("$defs", {}))
        for name, field in model.model_fields.items():
            if field.default_factory is not None:  # which pydantic leaves out
                made["properties"][name]["default"] = field.get_default(call_default_factory=True)
        return made

    sources, writes = [], []
    for name in adapter_names():
        adapter = get_adapter(name)
        common, source, write = (
            schema(Source),
            schema(adapter.SourceOptions),
            schema(adapter.WriteOptions),
        )
        properties = {**common["properties"], **source["properties"], "adapter": {"const": name}}
        for key in common["properties"].keys() & source["properties"].keys():
            kinds = [common["properties"][key], source["properties"][key]]
            properties[key] = {**kinds[1], "anyOf": [k for kind in kinds for k in kind["anyOf"]]}
        required = ["adapter", *source.get("required", [])]
        sources.append({**source, "title": name, "properties": properties, "required": required})
        writes.append({**write, "title": name})
    sends = [{**schema(get_target(name).SendOptions), "title": name} for name in target_names()]
    rest = schema(Rest)["properties"]
    sections = {name: schema(model) for name, model in SECTIONS.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "labelnext configuration",
        "type": "object",
        "additionalProperties": False,
        "required": ["source"],
        "properties": {
            "source": {"anyOf": sources},
            **sections,
            "write": {"anyOf": writes},
            "send": {"anyOf": sends},
            **rest,
        },
        "$defs": definitions,
    }
