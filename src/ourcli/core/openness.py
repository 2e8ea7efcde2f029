"""Tells a question that has one answer from a task that asks for thought: design, write, explain, compare."""

import re

_TASKS = (
    "design|draft|write|explain|describe|propose|suggest|outline|sketch|compare|generate|implement|create|build"
    "|brainstorm|improve|refactor|review|rewrite|translate|summari[sz]e|discuss|recommend|invent|plan"
)
_OPEN = re.compile(
    r"\s*(?:(?:please|ok|so|now|then|and)[,\s]+)*"
    r"(?:(?:can|could|would|will)\s+you\s+(?:please\s+)?|(?:help|let)\s+(?:me|us)\s+(?:to\s+)?|i\s+want\s+you\s+to\s+)?"
    rf"(?:{_TASKS}|give\s+me\s+(?:some\s+)?(?:ideas|options|suggestions)|show\s+me\s+how"
    r"|what\s+(?:are\s+the\s+)?(?:pros|options|trade-?offs|alternatives))\b",
    re.IGNORECASE,
)


def is_open(question: str) -> bool:
    """Say whether a request asks for thought rather than for a fact; English only, looks at its first words."""
    return _OPEN.match(question[:200]) is not None
