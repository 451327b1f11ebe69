"""Turn a configuration into a recipe, and check it before reading any data."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from errno import EINVAL
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labelnext.acquisition import AUTO, acquisition_names, get_acquisition
from labelnext.config.document import Document, Location, parse
from labelnext.errors import ConfigError, LabelnextError, shown
from labelnext.ranking.recipe import Recipe, asked, kinds_of, takers_of
from labelnext.selection import get_selection, selection_names
from labelnext.support.annotations import Share
from labelnext.support.kinds import Misfit, fit
from labelnext.support.signatures import fit_option

if TYPE_CHECKING:
    from labelnext.config.sections import Acquisition, Review, Selection


def recipe_of(acquisition: Acquisition, selection: Selection, directory: Path) -> Recipe:
    """The recipe of a configuration; choices that depend on the data stay open.

    Args:
        acquisition: how items are scored.
        selection: how the batch is chosen.
        directory: folder that relative paths start from.

    Raises:
        ConfigError: if an option is unknown or its value is invalid.
    """
    twice = acquisition.options.keys() & selection.options.keys()
    if twice:
        raise ConfigError(
            f"option {min(twice)} must be in acquisition.options or in selection.options, not both."
        )
    options = {**acquisition.options, **selection.options}
    if isinstance(file := options.get("class_quality"), str):
        options["class_quality"] = _measured(directory / Path(file).expanduser())
    if isinstance(named := options.get("similar_to"), Mapping):
        options["similar_to"] = _named_items(named, directory)
    unit = None
    if acquisition.name is not None:
        units = () if acquisition.name == AUTO else get_acquisition(acquisition.name).of
        unit = acquisition.of if not units or acquisition.of in (None, *units) else units[0]
    recipe = asked(
        acquisition.name,
        options=options,
        budget=selection.budget,
        selection=selection.method,
        seed=selection.seed,
        unit=unit,
    )
    return replace(
        recipe,
        reduction=acquisition.reduce,
        floor=acquisition.floor,
        no_objects=acquisition.no_objects,
        calibrate=acquisition.calibrate,
    )


def review_recipe(acquisition: Acquisition, selection: Selection, review: Review) -> Recipe:
    """The recipe of a review, which ranks labels by quality; names the settings it ignores."""
    given = selection.model_fields_set - {"budget", "seed"}
    idle = [f"selection.{name}" for name in sorted(given)]
    idle += ["acquisition"] if acquisition.model_fields_set else []
    message = f"a review ranks labels by their quality and ignores {', '.join(idle)}."
    return Recipe(
        acquisition=None,
        options={"score": review.score},
        budget=selection.budget,
        purpose="review",
        reasons={"idle_options": message} if idle else {},
    )


def _measured(path: Path) -> dict[str, float]:
    """The quality of each class, from a file."""
    document = parse(path, "class_quality")
    try:
        return dict(fit(document.data, Mapping[str, Share]))
    except Misfit as misfit:
        message = f"must be {misfit.rule}; got {shown(misfit.value)}."
        raise document.error(misfit.inside, message, hint=misfit.hint) from None


def _is_value(named: Mapping[str, Any]) -> bool:
    return all(isinstance(value, str | int) for value in named.values())


def _named_items(
    named: Mapping[str, Sequence[str | int] | str], directory: Path
) -> list[Any] | dict[str, Any]:
    """The ids of {ids: […]}, or of the lines of {file: …}; {column: value} as it is."""
    ids, file = named.get("ids", ()), named.get("file")
    column = not named.keys() & {"ids", "file"}
    if len(named) != 1 or isinstance(ids, Path | str) or (column and not _is_value(named)):
        raise ConfigError(
            f"similar_to must be a list of ids, {{ids: […]}}, {{file: failures.txt}} or "
            f"{{column: value}}; got {shown(dict(named))}."
        )
    if column:
        return dict(named)
    if not isinstance(file, Path | str):
        return _some(list(ids), "the list ids")
    try:
        path = directory / Path(fit(file, Path)).expanduser()
    except Misfit as misfit:
        message = f"similar_to must name as file {misfit.rule}; got {shown(file)}."
        raise ConfigError(message, hint=misfit.hint) from None
    try:
        if path.exists() and not path.is_file():
            raise OSError(EINVAL, "it is no file")  # a device never ends
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it isn't UTF-8 text"
        raise ConfigError(f"similar_to must name a readable file: {path}: {reason}.") from error
    return _some([line.strip() for line in text.splitlines() if line.strip()], str(path))


def _some(ids: list[Any], where: str) -> list[Any]:
    if not ids:
        raise ConfigError(
            f"similar_to must name at least one item; got none in {where}.",
            hint="leave similar_to out to rank without it.",
        )
    return ids


def with_options(
    document: Document, acquisition: Acquisition, selection: Selection
) -> tuple[Acquisition, Selection]:
    """The sections with their options as the function and the method take them.

    Args:
        document: the parsed file, for line numbers in errors.
        acquisition: how items are scored; its options as they are in the file.
        selection: how the batch is chosen; its options as they are in the file.

    Raises:
        ConfigError: for an unknown option or one of a wrong kind; the message names the key, file
            and line.
    """
    method = get_selection(selection.method)
    scoring, choosing, *others = takers_of(acquisition.name, method).values()
    known = {"acquisition": scoring, "selection": choosing.union(*others)}
    kinds = kinds_of(acquisition.name, method)
    if "class_quality" in kinds:
        kinds["class_quality"] |= Path
    sections: dict[str, Any] = {"acquisition": acquisition, "selection": selection}
    for section, settings in sections.items():
        options = {}
        for name, value in settings.options.items():
            location = (section, "options", name)
            if name not in known["acquisition"] | known["selection"]:
                raise _unknown_option(document, location, known[section], known)
            try:
                options[name] = fit_option(value, kinds[name])
            except Misfit as misfit:
                message = f"must be {misfit.rule}; got {shown(misfit.value)}."
                where = (*location, *misfit.inside)
                raise document.error(where, message, hint=misfit.hint) from None
        if options:  # what is copied counts as given
            sections[section] = settings.model_copy(update={"options": options})
    return sections["acquisition"], sections["selection"]


def check_recipe(
    document: Document,
    acquisition: Acquisition,
    selection: Selection,
    make: Callable[[], object],
) -> None:
    """Refuse invalid combinations and values.

    Args:
        document: the parsed file, for line numbers in errors.
        acquisition: how items are scored.
        selection: how the batch is chosen.
        make: builds the recipe.

    Raises:
        ConfigError: if something is wrong; the message names the key, file and line.
    """
    places: dict[str, Location] = {
        "budget": ("selection", "budget"),
        "seed": ("selection", "seed"),
        **{name: ("acquisition", "options", name) for name in acquisition.options},
        **{name: ("selection", "options", name) for name in selection.options},
    }
    try:
        make()
    except LabelnextError as error:
        name, must, rule = error.message.partition(" must ")
        if must and name in places:
            raise document.error(places[name], f"must {rule}", hint=error.hint) from error
        raise


def _unknown_option(
    document: Document, location: Location, names: set[str], known: dict[str, set[str]]
) -> ConfigError:
    """The error for an unknown option, with the closest known one."""
    name = str(location[-1])
    elsewhere = _options_of_others()
    near = difflib.get_close_matches(name, {*elsewhere, *set().union(*known.values())}, n=1)
    hint = f"did you mean {near[0]!r}?" if near else None
    if near and near[0] not in set().union(*known.values()):
        hint = f"{near[0]} is an option of {', '.join(elsewhere[near[0]])}."
    if not names:
        return document.error(location, f"must be left out; got {name!r}, which nothing uses.")
    rule = f"must be one of {', '.join(sorted(names))}; got {name!r}."
    return document.error(location, rule, hint=hint)


def _options_of_others() -> dict[str, list[str]]:
    """Every option of every function and method, and who takes it."""
    options = {name: get_acquisition(name).options for name in acquisition_names()}
    options |= {name: get_selection(name).options for name in selection_names()}
    takers: dict[str, list[str]] = {}
    for name, taken in options.items():
        for option in taken:
            takers.setdefault(option, []).append(name)
    return takers
