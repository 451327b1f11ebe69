"""The commands that list file formats, and what installed packages add to the tables."""

from __future__ import annotations

import json

import typer

from labelnext.cli.console import escaped, out, print_plain, table_of
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
    table = table_of("name", "recognises", "reads", "options")
    for f in known:
        cells = (f.name, f.known_by, f.summary, ", ".join(f.Options.model_fields))
        table.add_row(*map(escaped, cells))
    out.print(table)


@tables.command(epilog="Example: labelnext plugins")
def plugins(as_json: Json = False) -> None:
    """List what installed packages add to the tables, and what of it cannot be used, and why."""
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
    table = table_of("group", "name", "package", "module", "loads?")
    for p in known:
        cells = (p.group.removeprefix("labelnext."), p.name, f"{p.package} {p.version}", p.target)
        loads = "[green]yes[/]" if p.cause is None else f"no: {escaped(p.cause)}"
        table.add_row(*map(escaped, cells), loads)
    out.print(table)
