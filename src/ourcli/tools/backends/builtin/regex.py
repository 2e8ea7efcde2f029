"""Regular expressions of strangers, run by RE2: time grows with the text and the pattern, and never faster.

RE2 was chosen over engines that go back and try again with a time limit: it cannot be made slow, so no limit has to
stop it in the middle of native code. It has neither back-references nor look-around, as ripgrep's own engine has none.

Source: R. Cox, "Regular Expression Matching Can Be Simple And Fast", 2007.
"""

from collections.abc import Callable, Iterator
from typing import Final

from ourcli.tools.backends.builtin.given import refused

MOST_CHARACTERS: Final = 1024


def compiled(pattern: str, name: str, *, ignore_case: bool = False) -> Callable[[bytes], bool]:
    """Return what says whether bytes hold a match of a pattern.

    Raises:
        ToolInputError: The pattern is not valid; the message calls it `name`.
    """
    find = finder(pattern, name, ignore_case=ignore_case)
    return lambda data: next(find(data), None) is not None


def finder(
    pattern: str, name: str, *, ignore_case: bool = False, literal: bool = False
) -> Callable[[bytes], Iterator[int]]:
    """Return what yields where the matches of a pattern begin; none goes beyond its line.

    Args:
        pattern: In RE2's syntax.
        name: What messages call it.
        ignore_case: Upper and lower case are the same.
        literal: The pattern is the text itself.

    Raises:
        ToolInputError: The pattern is not valid.
    """
    import re2  # deferred: native, and few calls need it

    if not pattern or len(pattern) > MOST_CHARACTERS or "\n" in pattern:
        raise refused(name, f"is no pattern of one line and up to {MOST_CHARACTERS} characters")
    options = re2.Options()
    options.case_sensitive, options.log_errors, options.never_nl = not ignore_case, False, True
    whole = re2.escape(pattern) if literal else f"(?m){pattern}"
    try:
        expression = re2.compile(whole, options)
    except re2.error as exc:
        why = exc.args[0].decode("utf-8", "replace") if exc.args and isinstance(exc.args[0], bytes) else str(exc)
        raise refused(name, f"is no regular expression: {why[:200]}") from exc

    def find(data: bytes) -> Iterator[int]:
        return (match.start() for match in expression.finditer(data))

    return find


def has_capitals(pattern: str) -> bool:
    r"""Say whether a pattern names a capital letter itself, escapes such as `\W` left out."""
    plain, escaped = "", False
    for character in pattern:
        plain += "" if escaped or character == "\\" else character
        escaped = character == "\\" and not escaped
    return plain != plain.lower()
