"""The words of a text that carry meaning, in a form in which two texts can be compared."""

import re

from ourcli.common.words import stem, word_set

_WORD = re.compile(r"[^\W_]+")
_STOP = word_set(
    """
    a an and are as at be been by can could did do does for from had has have how i in is it its me my of on or our
    please should so tell than that the their them then there these they this to us was we were what when where
    which who whom whose why will with would you your about into if not no any all just also
    """
)


def words_of(text: str) -> set[str]:
    """Return the words of a text that carry meaning, lower case, without plural, -ing and -ed endings."""
    return {_root(word) for word in map(str.lower, _WORD.findall(text)) if word not in _STOP}


def _root(word: str) -> str:
    word = stem(word)
    for ending in ("ing", "ed"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word
    return word.removesuffix("e") if len(word) > 3 else word
