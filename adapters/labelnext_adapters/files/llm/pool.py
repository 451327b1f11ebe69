"""Answers of language models to a Pool: probabilities, shares of votes, or stated confidences."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from labelnext.errors import InvalidInput, listed
from labelnext.pool.pool import Pool
from labelnext_adapters.files.content.item_ids import ITEM_KEYS, check_one_id, id_in
from labelnext_adapters.files.content.oddities import MOST, Unusable, mostly, unbroken
from labelnext_adapters.files.content.values import id_text, name_text, probability
from labelnext_adapters.files.gather import Gathered
from labelnext_adapters.files.llm.asked import Asked, by_id, is_answer, is_unanswered
from labelnext_adapters.files.llm.classes import (
    chance,
    class_of,
    class_probabilities,
    classes_answered,
    folded,
    mean_of,
    spread,
)
from labelnext_adapters.files.llm.replies import (
    JUDGES,
    LOGPROBS,
    NO_ANSWER,
    REPLIES,
    SEVERAL,
    WRITTEN,
    Reply,
    are_paired,
    by_judge,
    completion_in,
    is_completion,
    panel_in,
    replies_in,
    stated_in,
)
from labelnext_adapters.files.llm.stated import (
    ANSWERS,
    CONFIDENCES,
    DISTRIBUTIONS,
    after_thoughts,
    certainty,
)

_MOST_JUDGES = 20  # of a committee; more are read as votes


@dataclass(frozen=True)
class _Answer:
    """What one reply says."""

    place: str
    item: str
    judge: str
    reply: Reply
    text: str | None
    shares: Mapping[Any, Any] | None
    confidence: float | None


def pool_of_records(
    records: Sequence[tuple[str, Any]], asked: Asked, classes: Sequence[str] | None = None
) -> Pool:
    """The items that models were asked about.

    Probabilities of tokens and stated distributions are class probabilities; several answers of one
    model are averaged, so that votes become shares; several models are a committee; one answer
    with a stated confidence is that.

    Args:
        records: each with its place in the file.
        asked: how answers are read.
        classes: that answers name; those that were answered when None.

    Raises:
        InvalidInput: if too many answers can't be used, or they say nothing about certainty.
    """
    gathered = Gathered("answer", classes=classes)
    answers, unanswered = _answers(by_id(records, asked.key), asked, gathered)
    if not answers or gathered.odd.too_many:
        _refuse_all(gathered)
    items = [*(answer.item for answer in answers), *unanswered]
    check_one_id([one for _, one in records], items, asked.key)
    for item in unanswered:
        gathered.item(item)  # nothing is known of it
    if classes is None:
        texts = [(answer.shares, answer.text) for answer in _telling(answers)]
        compared = any(top for answer in answers for _, _, top in answer.reply.tokens)
        classes = classes_answered(texts, compared=compared)
    judges = _judges(answers)
    said: dict[tuple[str, str], list[tuple[_Answer, Any]]] = {}
    for answer in answers:
        try:
            meaning = _meaning(answer, classes)
        except Unusable as error:
            gathered.odd.leave_out(answer.place, answer.item, str(error))
            continue
        judge = answer.judge if judges else ""
        said.setdefault((answer.item, judge), []).append((answer, meaning))
    kind = _kind_of(said, gathered, bool(judges))
    for (item, judge), several in said.items():
        row = gathered.item(item)
        if kind == "answers":
            label, _ = several[0][1]
            sure = sum(confidence for _, (_, confidence) in several) / len(several)
            gathered.answer(row, label, sure, judge)
        else:
            gathered.scores(
                row, mean_of([spread(meaning, classes) for _, meaning in several]), judge
            )
    return gathered.pool()


def _telling(answers: Sequence[_Answer]) -> Sequence[_Answer]:
    """The answers that say how certain they are, if nine in ten do: an odd one makes no class."""
    sure = [one for one in answers if one.reply.tokens or one.shares or one.confidence is not None]
    return sure if len(sure) >= MOST * len(answers) else answers


def _refuse_all(gathered: Gathered) -> None:
    """Say why no record has an answer, and the keys that are read."""
    bare = all(why == NO_ANSWER for _, _, why in gathered.odd.left_out)
    keys = ", ".join((*ANSWERS, *WRITTEN, *SEVERAL))
    cure = f"set source.answer_key to the key of the answer; read are {keys}."
    gathered.odd.notices(cure if bare else None)


def _answers(
    records: Sequence[tuple[str, Any, Any]], asked: Asked, gathered: Gathered
) -> tuple[list[_Answer], list[str]]:
    """What every reply says, without those that can't be used; and the items without an answer."""
    answers: list[_Answer] = []
    unanswered: list[tuple[str, str]] = []
    numbered = own_ids = False
    for number, (place, name, record) in enumerate(records):
        item, replies = name, list[tuple[str, Reply | str]]()
        try:
            if isinstance(unbroken(record), Mapping) and name is None:
                item = id_in(record, asked.key)
                own_ids |= item is not None and is_completion(record)
            numbered |= item is None
            item = id_text(str(number) if item is None else item)
            if is_unanswered(record, asked):
                unanswered.append((place, item))
                continue
            parts = record if isinstance(record, list) else [record]
            for judge, part in chain.from_iterable(map(by_judge, parts)):
                model = judge or _judge(part)
                replies += [(model, reply) for reply in replies_in(part, asked.answer_key)]
        except Unusable as error:
            replies = [("", str(error))]
        for place_in, (judge, reply) in enumerate(replies, 1):
            where = place if len(replies) == 1 else f"{place}, answer {place_in}"
            with gathered.record(where, item):
                if isinstance(reply, str):
                    raise Unusable(reply)
                answers.append(_answer(where, item, judge, reply, asked))
    for place, item in () if answers else unanswered:
        with gathered.record(place, item):
            raise Unusable(NO_ANSWER)
    if numbered:
        message = "Records without an id are called by their number from 0 (set source.key)."
        gathered.notice("numbered", message)
    elif own_ids and asked.key is None:
        gathered.notice(
            "own_ids", "Items are called by the completions' own ids (source.key names another)."
        )
    return answers, [item for _, item in unanswered]


def _judge(record: Any) -> str:
    """The name of the model that answered; empty if the record doesn't say."""
    try:
        completion = completion_in(record)
    except Unusable:
        completion = None
    for source in (record, completion):
        if isinstance(source, Mapping):
            for name in (*JUDGES, "modelVersion"):
                if isinstance(source.get(name), str) and source[name]:
                    return str(source[name])
    return ""


def _answer(place: str, item: str, judge: str, reply: Reply, asked: Asked) -> _Answer:
    """A reply with its class as text, its distribution and its confidence, where it has them."""
    fields = reply.fields
    text, shares, confidence = reply.text and after_thoughts(reply.text), None, None
    if fields is not None:
        stated = [asked.answer_key] if asked.answer_key else [*ANSWERS, *WRITTEN]
        values = [fields[name] for name in stated if name in fields]
        values = [v for v in values if isinstance(v, str | int) and v != ""]
        shares = next((fields[n] for n in DISTRIBUTIONS if _is_shares(fields.get(n))), None)
        if not values and shares is None:
            raise Unusable(f"its answer must have the key {stated[0]}; got {listed(fields)}")
        text = after_thoughts(name_text(values[0])) if values else None
        names = (asked.confidence_key,) if asked.confidence_key else CONFIDENCES
        sure = next((fields[n] for n in names if fields.get(n) is not None), None)
        confidence = None if sure is None else certainty(sure, percent=asked.percent)
        if confidence is None and asked.confidence_key is None:
            logprob = next((fields[n] for n in LOGPROBS if fields.get(n) is not None), None)
            confidence = None if logprob is None else chance(logprob)
    return _Answer(place, item, judge, reply, text, shares, confidence)


def _is_shares(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value)


def _judges(answers: Sequence[_Answer]) -> bool:
    """Whether several models answered about some item, but not so many as a crowd of people."""
    models: dict[str, set[str]] = {}
    for answer in answers:
        models.setdefault(answer.item, set()).add(answer.judge)
    everybody = {answer.judge for answer in answers}
    return len(everybody) <= _MOST_JUDGES and any(len(names) > 1 for names in models.values())


def _meaning(answer: _Answer, classes: Sequence[str]) -> Any:
    """A distribution by class; or a class and its confidence, None if unknown.

    Raises:
        Unusable: if the answer names no class.
    """
    if answer.shares is not None:
        shares: dict[str, float] = {}
        for name, share in answer.shares.items():
            shares[class_of(str(name), classes)] = probability(share)
        return shares
    text = answer.text or ""
    if answer.reply.tokens and any(others for _, _, others in answer.reply.tokens):
        return class_probabilities(answer.reply.tokens, classes, _start(answer))
    label = class_of(text, classes)
    if answer.confidence is None and answer.reply.tokens and folded(text) == folded(label):
        chances = [chance(logprob) for _, logprob, _ in answer.reply.tokens]
        return label, math.prod(chances)
    return label, answer.confidence


def _start(answer: _Answer) -> int:
    """Where the class's name may begin in the tokens: after thoughts, and behind its key."""
    whole = "".join(token for token, _, _ in answer.reply.tokens)
    thought = len(whole) - len(after_thoughts(whole))
    if answer.reply.fields is None or answer.text is None:
        return thought
    match = re.compile(rf':\s*"?(?={re.escape(answer.text)})').search(whole, thought)
    return match.end() if match else thought


def _kind_of(
    said: Mapping[tuple[str, str], list[tuple[_Answer, Any]]], gathered: Gathered, judges: bool
) -> str:
    """Whether answers are vectors or stated confidences; leaves out those that differ.

    Raises:
        InvalidInput: if no answer says how certain it is, and each item has one only.
    """
    kinds = Counter[str]()
    for several in said.values():
        kinds[_certainty(several)] += 1
    several_answers = judges or kinds["votes"] > 0
    if not said or kinds.total() == kinds["sure"]:
        return "answers"
    if kinds.total() == kinds["bare"] and not judges:
        gathered.odd.notices()  # too many odd answers are the first thing to say
        raise InvalidInput(
            "answers must say how certain they are; each item has one answer without logprobs or "
            "a confidence.",
            hint="ask with logprobs and top_logprobs, several times (n), several models, or for a "
            'confidence: {"label": …, "confidence": …}.',
        )
    if kinds["vector"] == 0 and not several_answers and kinds["sure"] >= kinds["bare"]:
        _leave_out(said, "bare", "it states no confidence, as the others do", gathered)
        return "answers"
    if kinds["vector"] and not several_answers:
        _leave_out(said, "bare", "it has no logprobs, as the others have", gathered)
    return "scores"


def _certainty(several: Sequence[tuple[_Answer, Any]]) -> str:
    if len(several) > 1:
        sure = [m for _, m in several if not isinstance(m, Mapping) and m[1] is not None]
        return "sure" if len(sure) == len(several) and len({m[0] for m in sure}) == 1 else "votes"
    meaning = several[0][1]
    if isinstance(meaning, Mapping):
        return "vector"
    return "bare" if meaning[1] is None else "sure"


def _leave_out(said: Any, kind: str, why: str, gathered: Gathered) -> None:
    for key in [key for key, several in said.items() if _certainty(several) == kind]:
        answer = said.pop(key)[0][0]
        gathered.odd.leave_out(answer.place, answer.item, why)


def described(records: Sequence[Mapping[str, Any]]) -> str | None:
    """What shows that records are answers of language models, in words; None if they aren't."""
    for record in records[:20]:
        try:
            completion = completion_in(record)
        except Unusable:
            if "custom_id" in record:
                return "its records are requests of a batch, or their answers"
            continue
        if completion is not None:
            return "its records are completions of a language model"
        values = list(record.values())
        replied = [one for v in values[:5] for one in (v, *_inside(v)) if is_completion(one)]
        if replied and mostly(map(is_answer, values[:20])):
            return "its keys are ids of completions of a language model"
        if stated_in(record):
            return "its answers are JSON with a class and a confidence"
    if are_paired(records[:20]):
        return "its answers are a class with a confidence"
    first = records[0] if records else {}
    judge = next((name for name in JUDGES if isinstance(first.get(name), str)), None)
    repeat = _repeats(records[:20])  # whole numbers are answers where judges answer each other
    kinds = (str, int) if repeat else (str,)
    answer = next((name for name in ANSWERS if isinstance(first.get(name), kinds)), None)
    several_each = next((name for name in SEVERAL if _are_answers(first.get(name))), None)
    if set(ITEM_KEYS) & first.keys() and any(len(panel_in(r) or []) > 1 for r in records[:20]):
        return "its records have what several judges said"
    if several_each and set(ITEM_KEYS) & first.keys():
        return f"its records have several answers ({several_each})"
    drawn = {"bbox", "box", "objects", "probabilities", "segmentation"} & first.keys()
    if repeat and not drawn and _are_replies(records[:20]):
        return "its records are several answers to each item"
    several = len(records) > 1 and all({judge, answer} <= r.keys() for r in records[:20])
    if judge == "annotator" and not repeat:
        return None  # who labelled each item
    if judge and answer and several and not drawn and set(ITEM_KEYS) & first.keys():
        return f"its records have {judge} and {answer}"
    return None


def _repeats(records: Sequence[Mapping[str, Any]]) -> bool:
    """Whether records name an item several times."""
    keys = (next((name for name in ITEM_KEYS if name in record), None) for record in records)
    ids = [str(record[key]) for record, key in zip(records, keys, strict=True) if key]
    return len({*ids}) < len(ids)


def _are_replies(records: Sequence[Mapping[str, Any]]) -> bool:
    """Whether each record is an answer alone, without a confidence, and answers recur."""
    told = [next((r[k] for k in REPLIES if isinstance(r.get(k), str)), "") for r in records]
    said = [*map(after_thoughts, told)]
    sure = any(not {*CONFIDENCES}.isdisjoint(record) for record in records)
    return all(said) and not sure and len({*said}) < len(said)


def _inside(value: Any) -> list[Any]:
    return value[:5] if isinstance(value, list) else []


def _are_answers(value: Any) -> bool:
    """Whether a value holds the answers of several: texts, or objects with a judge's answer."""
    inside = list(value.values()) if isinstance(value, Mapping) else value
    if not isinstance(inside, list) or len(inside) < 2:
        return False
    stated = isinstance(value, Mapping) and all(
        isinstance(one, Mapping) and bool({*ANSWERS} & one.keys()) for one in inside
    )
    return stated or all(isinstance(one, str | bool) for one in inside)
