"""The commands that list file formats and plug-ins."""

from __future__ import annotations

import json

import typer

from labelnext.cli.console import print_plain
from labelnext.cli.lists import print_rows, print_table
from labelnext.cli.options import Json

tables = typer.Typer()


@tables.command(epilog="Example: labelnext formats")
def formats(as_json: Json = False) -> None:
    """List the file formats that the files adapter reads, and their options."""
    from labelnext.adapter.formats import format_names, get_format

    known = [get_format(name) for name in format_names()]
    if as_json:
        rows = [
            {
                "name": f.name,
                "endings": f.endings,
                "recognises": f.known_by,
                "reads": f.summary,
                "options": {n: o.description for n, o in f.Options.model_fields.items()},
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
def plugins(as_json: Json = False) -> None:
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
