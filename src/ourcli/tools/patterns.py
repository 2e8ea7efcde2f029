"""Regular expressions of strangers: those that match in time that their length bounds.

Python's engine goes back and tries again. What makes that exponential is a repetition inside a repetition, or a
choice inside one; back-references and look-arounds make it hard to say. A pattern with neither takes at most
polynomial time, and the number of its repetitions is bounded too.
"""

import re
from collections.abc import Iterable
from typing import Final, cast

MOST_CHARACTERS = 256
MOST_REPEATS = 4
_REFUSED: Final = {"ASSERT", "ASSERT_NOT", "GROUPREF", "GROUPREF_EXISTS"}
_Tree = Iterable[tuple[object, object]]
_Repeat = tuple[int, int, _Tree]
_REPEATS: Final = {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}


class BadPatternError(ValueError):
    """The pattern is not taken; the message says why, as the end of a sentence."""


def check_pattern(pattern: str) -> None:
    """Return when matching `pattern` takes little time, whatever the text.

    Raises:
        BadPatternError: It is no regular expression, or could take too long.
    """
    if len(pattern) > MOST_CHARACTERS:
        raise BadPatternError(f"is longer than {MOST_CHARACTERS} characters")
    try:
        tree = re._parser.parse(pattern)  # type: ignore[attr-defined]  # the standard parser has no public name
    except (re.error, OverflowError, RecursionError) as exc:
        raise BadPatternError(f"is no regular expression: {exc}") from exc
    if _repeats(tree, inside=False) > MOST_REPEATS:
        raise BadPatternError(f"repeats in more than {MOST_REPEATS} places")


def _repeats(tree: _Tree, *, inside: bool) -> int:
    count = 0
    for operation, argument in tree:
        name = str(operation)
        if name in _REFUSED:
            raise BadPatternError("looks around or back, which can take too long")
        if name == "BRANCH" and inside:
            raise BadPatternError("repeats a choice, which can take too long")
        if name in _REPEATS:
            least, most, body = cast("_Repeat", argument)
            varies = least != most
            if varies and inside:
                raise BadPatternError("repeats a repetition, which can take too long")
            count += int(varies) + _repeats(body, inside=inside or most > 1)
        else:
            count += sum(_repeats(part, inside=inside) for part in _parts(argument))
    return count


def _parts(argument: object) -> Iterable[_Tree]:
    """Yield the patterns inside an operation's argument."""
    if hasattr(argument, "getwidth"):
        yield argument  # type: ignore[misc]  # a parsed pattern is a sequence of pairs
    elif isinstance(argument, tuple | list):
        for one in argument:
            yield from _parts(one)
