"""The sentences of a text that carry its decision, word for word."""

import re
from collections.abc import Iterator, Sequence

from ourcli.common.claims import said
from ourcli.common.sentences import cut, spans

_DECIDES = re.compile(
    r"\b(?:decided|decision|decide|agreed|agreement|chose|chosen|picked|settled\s+on|resolved\s+to|concluded|opted"
    r"|going\s+with|go\s+with|went\s+with|gone\s+with|standardi[sz]ed?\s+on|switch(?:ed|ing)?\s+(?:to|from)"
    r"|adopt(?:ed)?|approved|reject(?:ed)?|from\s+now\s+on|we(?:'ll|\s+will|\s+use|\s+must|\s+never|\s+always))\b",
    re.IGNORECASE,
)
_BINDS = re.compile(
    r"\b(?:will|must|shall|should|use[sd]?|never|always|instead|because|keep|kept|replaces?d?|deprecated?|remember"
    r"|important|todo|deadline|due|owner|owns|responsible)\b",
    re.IGNORECASE,
)
_CARRIES, _FOLLOWS, _SAYS, _FILLS = 3, 2, 1, 0


def carrying(text: str, max_chars: int) -> str:
    """Return the sentences that carry a decision, with those that follow and add numbers, names or reasons.

    Where nothing is decided: the sentences that bind or that hold numbers or names; where there are none of these,
    all. Of too many the most telling ones, in the order of the text; a sentence that alone is too long is cut.

    Args:
        text: Anything; not blank.
        max_chars: Most characters of the result, the mark of a cut included.
    """
    sentences = [text[start:end] for start, end in spans(text)]
    grades = list(_grades(sentences))
    least = _FOLLOWS if _CARRIES in grades else max(grades, default=_FILLS)
    kept = [place for place, grade in enumerate(grades) if grade >= least]
    if len(kept) == len(sentences) and len(text.strip()) <= max_chars:
        return text.strip()
    chosen: list[int] = []
    for place in sorted(kept, key=lambda at: -grades[at]):
        if sum(len(sentences[at]) + 1 for at in chosen) + len(sentences[place]) <= max_chars:
            chosen.append(place)
    if not chosen:
        best = max(kept, key=lambda at: grades[at], default=None)
        return _cut(text.strip() if best is None else sentences[best], max_chars)
    return " ".join(sentences[at].strip() for at in sorted(chosen))


def _grades(sentences: Sequence[str]) -> Iterator[int]:
    """Yield how much each sentence says of what was decided."""
    following = False
    for sentence in sentences:
        asks = sentence.rstrip("\"')”’ ").endswith("?")
        tells = not asks and (_BINDS.search(sentence) is not None or _has_facts(sentence))
        if not asks and _DECIDES.search(sentence):
            following = True
            yield _CARRIES
        else:
            following = following and tells
            yield _FOLLOWS if following else _SAYS if tells else _FILLS


def _has_facts(sentence: str) -> bool:
    """Say whether a sentence holds a number or a name; its first word may be capitalised for no other reason."""
    return any(fact.start > 2 or not fact.text.istitle() for fact in said(sentence))


def _cut(sentence: str, max_chars: int) -> str:
    return sentence if len(sentence) <= max_chars else cut(sentence, max_chars - 2)
