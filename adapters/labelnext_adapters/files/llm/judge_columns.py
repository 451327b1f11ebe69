"""What several judges said, each in a column or under a key of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

_NUMBERED = re.compile(r"\d{1,3}|[a-z]", re.I)
_WHO = r"(?:judge|rater|grader|evaluator|reviewer|annotator)"
_COLUMN = re.compile(rf"{_WHO}[ _.:\-]{{0,2}}(?P<name>.*)", re.I)
_BEHIND = re.compile(rf"(?P<name>.+?)[ _.:\-]{{1,2}}{_WHO}", re.I)  # as in gpt_judge
#: Names of language models; others may be what one judge went by, such as judge_relevance.
_MODEL = re.compile(
    r"(?:(?:chat)?gpt|o\d|claude|haiku|sonnet|opus|gemini|gemma|palm|llama|mistral|mixtral|qwen|"
    r"deepseek|grok|phi|command|cohere|nova|kimi|glm|yi|nemotron|prometheus|openai|anthropic|"
    r"google|meta|olmo|granite)(?![a-z])",
    re.I,
)
#: What a judge says beside its answer.
_BESIDE = re.compile(
    r".*[ _.:\-](?:why|reason\w*|rationale|explanation|comments?|notes?|confidence|prob\w*|"
    r"logprobs?|tokens?|cost|latency|time|prompt|model|version|id|name|raw|response|thoughts?)",
    re.I,
)


def columns_of_judges(record: Mapping[str, Any]) -> dict[str, Any]:
    """What several judges said, each under a key of its own; empty if there are no such keys.

    They are numbered, or called by language models.

    Example:
        >>> columns_of_judges({"id": 1, "judge_1": "yes", "judge_2": "no", "judge_1_why": "…"})
        {'judge_1': 'yes', 'judge_2': 'no'}
        >>> columns_of_judges({"judge_gpt-4o": 4, "judge_claude": 5, "judge_relevance": 1})
        {'judge_gpt-4o': 4, 'judge_claude': 5}
    """
    said = {
        name: value
        for name, value in record.items()
        if type(value) in (str, int, float, bool) and _is_of_judge(str(name).strip())
    }
    return said if len(said) > 1 else {}


@lru_cache(1 << 10)
def _is_of_judge(key: str) -> bool:
    if (behind := _BEHIND.fullmatch(key)) is not None:
        return _MODEL.match(behind["name"]) is not None
    told = _COLUMN.fullmatch(key)
    if told is None:
        return False
    named = _MODEL.match(told["name"]) and not _BESIDE.fullmatch(key)
    return bool(named or _NUMBERED.fullmatch(told["name"]))
