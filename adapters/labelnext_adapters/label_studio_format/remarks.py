"""What was left out of predictions, in words, with the items."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from labelnext.errors import InvalidInput, listed
from labelnext.pool.objects import Notice, Objects
from labelnext.support.words import counted
from labelnext_adapters.label_studio_format.region import Remarks
from labelnext_adapters.label_studio_format.regions import Setup


class Problem(NamedTuple):
    """Why a prediction can't be used.

    Attributes:
        code: of the notice.
        detail: what it is about, such as the label that is unknown; empty where nothing is added.
    """

    code: str
    detail: str = ""


# What follows "3 items".
_PROBLEMS = {
    "broken_regions": "with a prediction that doesn't match the control tag's format",
    "unknown_labels": "with predicted labels that control tag {tag!r} doesn't have",
    "out_of_range": "with a score outside [0, 1]",
    "no_sum": "with probabilities that don't sum to 1",
    "no_answer": "with a prediction that names no class",
    "other_control": "with predictions of control tags other than {tag!r} only",
    "no_distribution": "with a prediction without class probabilities, which others have",
}


def notices_of(
    remarks: Mapping[int, Remarks],
    problems: Mapping[int, Problem],
    repeated: Sequence[int],
    names: Mapping[int, str],
    setup: Setup,
) -> list[Notice]:
    """The notices of one model version.

    Args:
        remarks: of the predictions that are used, by task.
        problems: of those that aren't, by task.
        repeated: tasks with several predictions of one model version.
        names: the items' ids, by task.
        setup: the control tags that were read.
    """
    noticed: list[Notice] = []
    for code, what in _PROBLEMS.items():
        tasks = [task for task, problem in problems.items() if problem.code == code]
        if tasks:
            details = dict.fromkeys(d for t in tasks if (d := problems[t].detail))
            why = f": {listed(details, 3)}" if details else ""
            message = (
                f"{counted(len(tasks), 'item')} {what.format(tag=setup.from_name)}; treated as "
                f"missing{why}."
            )
            noticed.append(Notice(code, message, _ids(tasks, names)))
    noticed += _unscored(problems, len(remarks) + len(problems), names)
    noticed += _left_out(remarks, names)
    noticed += _adjusted(remarks, names)
    if repeated:
        message = (
            f"{counted(len(repeated), 'item')} with several predictions of the model version; "
            "using the newest."
        )
        noticed.append(Notice("repeated_predictions", message, _ids(repeated, names)))
    return noticed


def least_sure(tasks: Sequence[int], names: Mapping[int, str]) -> Notice:
    """The notice of tasks with several scored answers, where most have one."""
    message = (
        f"{counted(len(tasks), 'item')} with several scored answers, where most have one; the "
        "lowest score counts."
    )
    return Notice("least_sure", message, _ids(tasks, names))


def _unscored(
    problems: Mapping[int, Problem], n_predictions: int, names: Mapping[int, str]
) -> list[Notice]:
    tasks = [task for task, problem in problems.items() if problem.code == "no_score"]
    if not tasks:
        return []
    verb = "has" if len(tasks) == 1 else "have"
    message = (
        f"{len(tasks):,} of {counted(n_predictions, 'prediction')} {verb} no score; treated as "
        'missing. Set "score", from 0 to 1, on each region or on the prediction; for choices, '
        '"probs" beside "choices" is better.'
    )
    return [Notice("no_score", message, _ids(tasks, names))]


def _left_out(remarks: Mapping[int, Remarks], names: Mapping[int, str]) -> list[Notice]:
    """Regions that were left out of predictions that are used."""
    noticed = []
    for code, kind, what in (
        ("left_out_regions", "broken", "that don't match the control tag's format"),
        ("left_out_labels", "unknown", "whose labels the control tag doesn't have"),
    ):
        reasons: dict[int, list[str]] = {t: getattr(remark, kind) for t, remark in remarks.items()}
        of_tasks = {task: whys for task, whys in reasons.items() if whys}
        if of_tasks:
            whys = [why for found_whys in of_tasks.values() for why in found_whys]
            message = (
                f"Left out {counted(len(whys), 'region')} of {counted(len(of_tasks), 'item')} "
                f"{what}: {listed(dict.fromkeys(whys), 3)}."
            )
            noticed.append(Notice(code, message, _ids([*of_tasks], names)))
    return noticed


_ADJUSTED: tuple[tuple[str, Callable[[Remarks], int], str, str], ...] = (
    (
        "unscored_regions",
        lambda r: r.unscored,
        "Left out {regions} of {items} without a score, which others have",
        "region",
    ),
    (
        "stand_in_scores",
        lambda r: r.stand_ins,
        "{regions} of {items} without a score; the prediction's score stands in",
        "region",
    ),
    (
        "top_classes",
        lambda r: int(r.spread),
        "{regions} of the likeliest classes; what is left of 1 is spread over the classes that "
        "aren't named",
        "list",
    ),
    (
        "text_scores",
        lambda r: r.texts,
        "Read {regions} of {items} from text",
        "score",
    ),
    (
        "several_labels",
        lambda r: r.more_labels,
        "{regions} of {items} with several labels; the first counts",
        "region",
    ),
)


def _adjusted(remarks: Mapping[int, Remarks], names: Mapping[int, str]) -> list[Notice]:
    """What was read with a reservation."""
    noticed = []
    for code, count, what, noun in _ADJUSTED:
        of_tasks = {task: n for task, remark in remarks.items() if (n := count(remark))}
        if of_tasks:
            regions = counted(sum(of_tasks.values()), noun)
            message = what.format(regions=regions, items=counted(len(of_tasks), "item"))
            noticed.append(Notice(code, f"{message}.", _ids([*of_tasks], names)))
    return noticed


_SETTLED = {
    "earlier": (
        "earlier_predictions",
        "{items} with a newer prediction than the label; using the one that was there when the "
        "label was made.",
    ),
    "late": (
        "in_sample_predictions",
        "{items} with no prediction from before the label. The model may have been trained on the "
        "label, so calibration, review and class quality look better than they are.",
    ),
    "accepted": (
        "accepted_predictions",
        "{items} whose label is a prediction that somebody accepted unchanged. It agrees with that "
        "prediction whether or not it is right, so calibration, review and class quality look "
        "better than they are.",
    ),
}


def settled_notices(tasks: Mapping[str, Sequence[int]], names: Mapping[int, str]) -> list[Notice]:
    """Of the labelled items whose label tells which prediction counts, and how far."""
    noticed = []
    for kind, (code, message) in _SETTLED.items():
        settled = [task for task in tasks.get(kind, ()) if task in names]
        if settled:
            items = counted(len(settled), "labelled item")
            noticed.append(Notice(code, message.format(items=items), _ids(settled, names)))
    return noticed


def suspicious(objects: Objects | None, multilabel: bool) -> list[Notice]:
    """What looks odd about everything that was read."""
    notices = []
    if objects is not None and len(objects.confidences) and not objects.confidences.any():
        message = "All scores are 0.0, which often means that they were never set."
        notices.append(Notice("zero_scores", message))
    if multilabel:
        message = (
            "The setup allows several choices and the probabilities don't sum to 1, so classes are "
            "treated as independent."
        )
        notices.append(Notice("multilabel", message))
    return notices


def no_sums(sums: Mapping[int, float], names: Mapping[int, str], setup: Setup) -> InvalidInput:
    """The error where most probabilities of a single choice don't sum to 1.

    Args:
        sums: of each prediction's probabilities, by task.
        names: the items' ids, by task.
        setup: the control tag that was read.
    """
    several = 'give the control tag choice="multiple" if classes are independent of each other'
    if setup.derived:
        several = "set source.label_config, which says whether several choices are allowed"
    return InvalidInput(
        f"probabilities of a single choice must sum to 1; got {next(iter(sums.values())):.6g} from "
        f"control tag {setup.from_name!r} for {items_of(sums, names)}.",
        hint=f"pass logits through a softmax, or {several}.",
    )


def items_of(tasks: Collection[int], names: Mapping[int, str]) -> str:
    """The ids of items, for the end of a message.

    Example:
        >>> items_of([3, 5], {3: "a", 5: "b"})
        'items a, b'
    """
    return f"item{'' if len(tasks) == 1 else 's'} {listed(names[task] for task in tasks)}"


def _ids(tasks: Sequence[int], names: Mapping[int, str]) -> tuple[str, ...]:
    return tuple(names[task] for task in tasks)
