"""Whether two texts contradict each other: the same subject with another number, another choice, or the other sense.

Precision comes first: a pair that only may contradict is left alone. English only, by what stands on the page; nothing
here understands a text.
"""

from collections.abc import Callable, Sequence

from ourcli.memory.contradiction.lexicon import kind_of
from ourcli.memory.contradiction.statement import Quantity, Statement, statements

_MOST_STATEMENTS = 12
_ALIKE = 0.75
"""Share of words in common from which on two sentences differ in nothing but their sense."""


def contradicts(new: str, old: str) -> str | None:
    """Return why a new text contradicts an older one, as half a sentence about the older one, or None."""
    return contradiction(statements(new), statements(old))


def contradiction(new: Sequence[Statement], old: Sequence[Statement]) -> str | None:
    """Return why statements contradict older ones, as `contradicts` does."""
    for mine in new[:_MOST_STATEMENTS]:
        for theirs in old[:_MOST_STATEMENTS]:
            for judge in _JUDGES:
                if why := judge(mine, theirs):
                    return why
    return None


def _other_choice(new: Statement, old: Statement) -> str | None:
    """Another member of the same kind, or another name for what both say who or what it is."""
    if new.negated or old.negated or new.additive:
        return None
    if any(mine.about & theirs.about for mine in new.quantities for theirs in old.quantities):
        return None  # "the Redis TTL is ...": the names say whose number it is
    mine = [name for name in new.chosen if name not in old.chosen]
    theirs = [name for name in old.chosen if name not in new.chosen]
    for one in mine:
        for other in theirs:
            if _exclude(new, old, one, other, alone=len(mine) == len(theirs) == 1):
                return f"it says {old.chosen[other]} where this says {new.chosen[one]}"
    return None


def _exclude(new: Statement, old: Statement, mine: str, theirs: str, *, alone: bool) -> bool:
    """Say whether two names cannot both hold for what the statements are about."""
    kinds = kind_of(mine), kind_of(theirs)
    if kinds[0] is not None and kinds[0] == kinds[1]:
        without = [_without_kind(one, kinds[0]) for one in (new, old)]
        return without[0] == without[1] or _same_subject(without[0], without[1], most_extra=1)
    if kinds != (None, None) or not alone:
        return False
    return new.assigns and old.assigns and _same_subject(new.subject, old.subject, most_extra=1)


def _without_kind(one: Statement, kind: str) -> frozenset[str]:
    """Return the subject without the words that only name the kind, as in "Postgres as our database"."""
    return one.subject - {part[:4] for part in kind.split()} - {word for word in one.subject if word[:4] == kind[:4]}


def _rejected(new: Statement, old: Statement) -> str | None:
    """One speaks for what the other speaks against."""
    if new.subject and old.subject and not new.subject & old.subject:
        return None
    if not new.negated and not old.negated:
        if names := [old.chosen[name] for name in old.chosen if name in new.rejected]:
            return f"it says {names[0]}, which this decides against"
        if names := [new.chosen[name] for name in new.chosen if name in old.rejected]:
            return f"it decides against {names[0]}, which this chooses"
    return None


def _other_number(new: Statement, old: Statement) -> str | None:
    """Another value for the same measure of the same thing."""
    if new.negated or old.negated or not _same_names(new, old):
        return None
    if not (_same_subject(new.subject, old.subject, most_extra=3) or _only_named(new, old)):
        return None
    for mine in new.quantities:
        for theirs in old.quantities:
            if _differ(mine, theirs, new, old):
                return f"it says {theirs.text} where this says {mine.text}"
    return None


def _differ(mine: Quantity, theirs: Quantity, new: Statement, old: Statement) -> bool:
    if mine.dimension != theirs.dimension or mine.key == theirs.key or not mine.about & theirs.about:
        return False
    held_twice = any(one.key == theirs.key for one in new.quantities) or any(
        one.key == mine.key for one in old.quantities
    )
    return not held_twice


def _other_sense(new: Statement, old: Statement) -> str | None:
    """The same words, negated in one of the two."""
    if new.negated == old.negated or not new.words:
        return None
    if {one.key for one in new.quantities} != {one.key for one in old.quantities}:
        return None
    shared = len(new.words & old.words) / len(new.words | old.words)
    if shared < _ALIKE or not new.words & old.words:
        return None
    return "it says the opposite" if old.negated else "this says that it is not so"


_JUDGES: tuple[Callable[[Statement, Statement], str | None], ...] = (
    _rejected,
    _other_number,
    _other_choice,
    _other_sense,
)


def _same_subject(one: frozenset[str], other: frozenset[str], *, most_extra: int) -> bool:
    """Say whether the words of one subject are all among the other's, which has few more."""
    small, large = sorted((one, other), key=len)
    extra = most_extra if len(small) > 1 else min(1, most_extra)
    return bool(small) and small <= large and len(large) - len(small) <= extra


def _only_named(new: Statement, old: Statement) -> bool:
    """Say whether names alone make the subject, as in "we use Python 3.12"."""
    return not (new.subject | old.subject) - {"every"} and bool(new.chosen.keys() & old.chosen.keys())


def _same_names(new: Statement, old: Statement) -> bool:
    """Say whether neither statement names something that the other leaves out for something else."""
    mine, theirs = set(new.chosen), set(old.chosen)
    return mine <= theirs or theirs <= mine
