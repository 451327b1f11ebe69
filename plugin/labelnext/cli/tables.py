"""The commands that list acquisition functions, selection methods, adapters, formats, plug-ins."""

from __future__ import annotations

import json
from typing import Any

import click

from labelnext.cli.console import print_plain
from labelnext.cli.lists import print_rows, print_table
from labelnext.cli.options import json_option
from labelnext.support.started import installed_here

tables = click.Group()


@tables.command(epilog="Example: labelnext acquisitions")
@json_option
def acquisitions(as_json: bool) -> None:
    """List the acquisition functions."""
    from labelnext.acquisition import acquisition_names, get_acquisition

    known = [get_acquisition(name) for name in acquisition_names()]
    rows = [
        {
            "name": f.name,
            "summary": f.summary,
            "of": list(f.of),
            "range": f.range,
            "direction": f.direction,
            "references": f.references,
        }
        for f in known
    ]
    facts = [(f"{' or '.join(f.of)} · {f.range} · {f.direction}est first",) for f in known]
    print_table(("name", "what it is"), rows, facts, as_json=as_json)


@tables.command(epilog="Example: labelnext selections")
@json_option
def selections(as_json: bool) -> None:
    """List the selection methods."""
    from labelnext.selection import INPUTS, get_selection, selection_names

    rows: list[dict[str, Any]] = []
    facts = []
    for method in map(get_selection, selection_names()):
        needs = list(dict.fromkeys(INPUTS[n] for n in method.needs))
        rows.append(
            {
                "name": method.name,
                "summary": method.summary,
                "needs": needs,
                "cost": method.complexity,
                "guarantee": method.guarantee,
                "references": method.references,
            }
        )
        needed = f"needs {', '.join(needs)}; " if needs else ""
        facts.append((f"{needed}cost: {method.complexity}",))
    print_table(("name", "what it picks"), rows, facts, as_json=as_json)


@tables.command(epilog="Example: labelnext adapters")
@json_option
def adapters(as_json: bool) -> None:
    """List the installed adapters, what they can do, and how to install what's missing."""
    from labelnext.adapter.capabilities import Capability, can
    from labelnext.adapter.registry import adapter_names, get_adapter, missing_modules

    rows: list[dict[str, Any]] = []
    for name in adapter_names():
        adapter = get_adapter(name)
        missing = missing_modules(adapter)
        rows.append(
            {
                "name": name,
                "ready": not missing,
                "can": [capability.value for capability in Capability if can(adapter, capability)],
                "install": installed_here(adapter.install) if missing else None,
            }
        )
    if as_json:
        print_plain(json.dumps(rows, indent=2))
        return
    cells = ((r["name"], ", ".join(r["can"]), "yes" if r["ready"] else r["install"]) for r in rows)
    print_rows(("name", "can", "ready?"), cells)


@tables.command(epilog="Example: labelnext formats")
@json_option
def formats(as_json: bool) -> None:
    """List the file formats that the files adapter reads, and their options."""
    from labelnext.adapter.formats import format_names, get_format
    from labelnext.adapter.options import described

    known = [get_format(name) for name in format_names()]
    if as_json:
        rows = [
            {
                "name": f.name,
                "endings": f.endings,
                "recognises": f.known_by,
                "reads": f.summary,
                "options": {n: o.description for n, o in described(f.Options).items()},
            }
            for f in known
        ]
        print_plain(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    print_table(
        ("name", "reads"),
        [{"name": f.name, "summary": f.summary} for f in known],
        [
            (f"recognises: {f.known_by}", f"options: {', '.join(f.Options.model_fields)}")
            for f in known
        ],
        as_json=False,
    )


@tables.command(epilog="Example: labelnext plugins")
@json_option
def plugins(as_json: bool) -> None:
    """List what installed packages add to labelnext, and why any of it can't be used."""
    from labelnext.acquisition import ACQUISITIONS
    from labelnext.adapter.formats import FORMATS
    from labelnext.adapter.registry import ADAPTERS
    from labelnext.selection import SELECTIONS

    known = [p for t in (ACQUISITIONS, SELECTIONS, FORMATS, ADAPTERS) for p in t.installed()]
    if as_json:
        rows = [
            {
                "group": p.group,
                "name": p.name,
                "package": p.package,
                "version": p.version,
                "target": p.target,
                "loads": p.cause is None,
                "cause": p.cause,
            }
            for p in known
        ]
        print_plain(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    print_rows(
        ("group", "name", "package", "module", "works?"),
        (
            (
                p.group.removeprefix("labelnext."),
                p.name,
                f"{p.package} {p.version}",
                p.target,
                "yes" if p.cause is None else f"no: {p.cause}",
            )
            for p in known
        ),
    )
