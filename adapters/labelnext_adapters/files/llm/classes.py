"""Texts and tokens of a language model to classes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from labelnext.errors import InvalidInput, listed
from labelnext_adapters.files.content.oddities import Unusable
from labelnext_adapters.files.content.values import real
from labelnext_adapters.files.llm.replies import Token
from labelnext_adapters.files.tables.vectors import ROUNDED

_AROUND = " \t\r\n\"'`´“”‘’«»*_.,:;!?()[]{}<>#"
_MOST_CLASSES = 50
_LONGEST = 60  # characters of a class's name
_SPACES = re.compile(r"[\s_\-]+")
_SAID = re.compile(
    r"(?:answer|label|class|category|verdict|sentiment|prediction)\s*(?:is|:|=)\s*(\S.*)", re.I
)


def folded(text: str) -> str:
    """A text without case, quotes, punctuation around it, and kinds of space.

    Example:
        >>> folded(' "Not_Entailed".')
        'not entailed'
    """
    return _SPACES.sub(" ", text.strip(_AROUND).casefold()).strip()


def classes_answered(
    said: Sequence[tuple[Mapping[str, Any] | None, str | None]], *, compared: bool
) -> list[str]:
    """The distinct answers, if these are few and short.

    Args:
        said: of each answer, the scores by class, and the text.
        compared: classes are compared by what the lists of tokens show.

    Raises:
        InvalidInput: if they aren't; or if there is one alone, which compares with nothing.
    """
    names: dict[str, str] = {}
    for shares, text in said:
        if shares is not None:
            for name in shares:
                names.setdefault(folded(name), name)
        elif text is not None and len(text.strip()) <= _LONGEST:
            plain = re.sub(r"^[\s\"'*`]+|[\s\"'*`.!]+$", "", text)
            if folded(plain):
                names.setdefault(folded(plain), plain)
    if len(names) > _MOST_CLASSES or (said and not names):
        shown = listed(names.values()) if names else repr(said[0][1])[:80]
        raise InvalidInput(
            f"answers must be names of classes; got {len(names):,} different ones: {shown}.",
            hint="set source.classes to the names of the classes.",
        )
    if len(names) == 1 and compared:
        only = next(iter(names.values()))
        raise InvalidInput(
            f"answers must name more than one class to be compared by logprobs; all are {only!r}.",
            hint=f"set source.classes to all classes that could be answered: [{only}, …].",
        )
    return sorted(names.values())


def class_of(text: str, classes: Sequence[str]) -> str:
    """The class that an answer names.

    The answer is the class's name, begins with it, says "label: …", or is the beginning of one
    class's name only.

    Args:
        text: the answer.
        classes: names.

    Raises:
        Unusable: if it names none, or several.

    Example:
        >>> class_of("Positive, because …", ["positive", "negative"])
        'positive'
    """
    if text.strip() in classes:
        return text.strip()
    said = _SAID.search(text)
    for part in (text, said[1] if said else ""):
        beginning = _beginning(folded(part), classes)
        if beginning:
            return beginning
    raise Unusable(f"its answer must be one of the classes; got {text.strip()!r:.80}")


def _beginning(answer: str, classes: Sequence[str]) -> str | None:
    names = {folded(name): name for name in classes}
    if not answer:
        return None
    whole = [name for name in names if name and _begins_with(answer, name)]
    if whole:
        return names[max(whole, key=len)]
    longer = [name for name in names if name.startswith(answer)]
    return names[longer[0]] if len(longer) == 1 else None


def _begins_with(text: str, name: str) -> bool:
    rest = text[len(name) :]
    return text.startswith(name) and not (rest[:1].isalnum() and name[-1:].isalnum())


def class_probabilities(
    tokens: Sequence[Token], classes: Sequence[str], start: int = 0
) -> dict[str, float]:
    """The probabilities of the classes from those of the tokens that begin an answer.

    Tokens are matched with the beginnings of the classes' names. While the token that was chosen
    could still be several classes, the next one is looked at as well. What tokens got that are no
    class is shared evenly by all classes; what the lists of tokens don't show goes to the classes
    that they don't name, or to all if they name each.

    Args:
        tokens: of the answer.
        classes: names.
        start: number of characters before the class's name in the answer.

    Returns:
        By class; they sum to 1.

    Raises:
        Unusable: if no token begins a class.

    Example:
        >>> top = [("Yes", math.log(0.5)), (" no", math.log(0.25)), ("I", math.log(0.25))]
        >>> class_probabilities([("Yes", math.log(0.5), top)], ["yes", "no"])
        {'yes': 0.625, 'no': 0.375}
    """
    mass = dict.fromkeys(classes, 0.0)
    names = {folded(name): name for name in classes}
    path, before, elsewhere, hidden, decided = 1.0, "", 0.0, 0.0, False
    said = _from(tokens, start)
    for number, (token, log_probability, top) in enumerate(said):
        hidden += path * max(0.0, 1 - sum(top.values()))
        for text, share in top.items():
            if text != token:
                candidates = _candidates(before + text, names)
                elsewhere += _spread(mass, path * share, candidates, before + text)
        candidates = _candidates(before + log_probability, names)
        path, before = path * top[token], before + log_probability
        following = said[number + 1][0] if number + 1 < len(said) else None
        if len(candidates) < 2 or following is None or _is_whole(before, candidates, following):
            elsewhere += _spread(mass, path, candidates, before)
            decided = True
            break
    if not decided or sum(mass.values()) <= 0:
        shown = "".join(token for token, _, _ in tokens[:5])
        raise Unusable(f"no token at its beginning begins a class; got {shown!r:.80}")
    unnamed = [name for name, share in mass.items() if share == 0] or list(classes)
    for name in mass:
        mass[name] += elsewhere / len(mass) + (hidden / len(unnamed) if name in unnamed else 0)
    total = sum(mass.values())
    return {name: share / total for name, share in mass.items()}


def _from(tokens: Sequence[Token], start: int) -> list[tuple[str, str, dict[str, float]]]:
    """Each token from a character on; the part of it from there; and the chances at its place.

    Raises:
        Unusable: if the chances are none.
    """
    said, end = [], 0
    for token, logprob, others in tokens:
        end += len(token)
        if end <= start:
            continue
        top: dict[str, float] = {}
        for text, value in others:
            top[text] = top.get(text, 0.0) + chance(value)
        top.setdefault(token, chance(logprob))
        total = sum(top.values())
        if total > 1 + ROUNDED:
            raise Unusable(f"the probabilities of its tokens sum to {total:.4g}, more than 1")
        said.append((token, token[max(0, len(token) - (end - start)) :] if start else token, top))
    return said


def _candidates(text: str, names: dict[str, str]) -> list[str]:
    """The classes that a beginning of an answer may be; all of them if it says nothing yet."""
    said = _SPACES.sub(" ", text.lstrip(_AROUND).casefold())
    plain = said.rstrip(_AROUND)
    if not plain:
        return list(names.values()) if not text.strip(_AROUND) and text else []
    longer = [title for name, title in names.items() if name.startswith(plain)]
    if longer and plain == said.rstrip():
        return longer
    whole = [name for name in names if name and _begins_with(said, name)]
    return [names[max(whole, key=len)]] if whole else longer


def _is_whole(text: str, candidates: Sequence[str], following: str) -> bool:
    """Whether a name is said in full, and the next token doesn't go on with it."""
    exact = any(folded(text) == folded(name) for name in candidates)
    return exact and not following[:1].isalnum() and following[:1] not in ("_", "-", " ")


def _spread(mass: dict[str, float], share: float, candidates: Sequence[str], text: str) -> float:
    """Give a share to the class that a text names in full, or evenly to those that it begins.

    Returns:
        The share, if there is none of them; else 0.
    """
    names = [name for name in candidates if folded(text) == folded(name)] or candidates
    for name in names:
        mass[name] += share / len(names)
    return 0.0 if names else share


def chance(logprob: Any) -> float:
    """The probability of a log probability.

    Raises:
        Unusable: if it is none.
    """
    value = real(logprob, "a logprob")
    if math.isnan(value) or value > 0.01:
        raise Unusable(f"a logprob must be at most 0; got {logprob!r:.40}")
    return math.exp(min(value, 0.0))


def spread(meaning: Any, classes: Sequence[str]) -> dict[str, float]:
    """The probabilities of all classes; what an answer leaves goes to those it doesn't name.

    Args:
        meaning: the shares of classes; or a class and its confidence, which is 1 when None.
        classes: all of them.

    Example:
        >>> spread(("yes", 0.75), ["yes", "no"])
        {'yes': 0.75, 'no': 0.25}
    """
    if isinstance(meaning, Mapping):
        shares = dict(meaning)
    else:
        shares = {meaning[0]: 1.0 if meaning[1] is None else float(meaning[1])}
    unnamed = [name for name in classes if name not in shares]
    left = max(0.0, 1 - sum(shares.values()))
    return {**shares, **{name: left / len(unnamed) for name in unnamed}}


def mean_of(vectors: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of the probabilities of the same classes.

    Example:
        >>> mean_of([{"yes": 1.0}, {"yes": 0.5}])
        {'yes': 0.75}
    """
    return {name: sum(v[name] for v in vectors) / len(vectors) for name in vectors[0]}
