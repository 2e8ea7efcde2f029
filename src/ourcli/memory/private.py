"""What of a record tells who somebody is, beside secrets: e-mail addresses and the user names in paths of homes."""

import re
from dataclasses import replace

from ourcli.memory.record import Record

_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}(?![\w-])")
_HOME = re.compile(
    r"(?P<before>(?:/home/|/Users/|/var/home/|\b[A-Za-z]:[\\/]{1,2}(?:Users|Documents and Settings)[\\/]{1,2}))"
    r"(?!Shared\b|Public\b|\[user\])[^\s/\\:\"'<>|]+"
)
_SSH = re.compile(r"\bgit@")
"""What looks like an address and is none: `git@github.com`."""


def without_people(text: str) -> str:
    """Return a text with `[email]` for addresses and `[user]` for user names in paths."""
    text = _HOME.sub(r"\g<before>[user]", text) if "/" in text or "\\" in text else text
    return _MAIL.sub(lambda match: match[0] if _SSH.match(match[0]) else "[email]", text) if "@" in text else text


def anonymous(record: Record) -> Record:
    """Return a record without addresses and user names, in its text and in every word about it."""
    source = record.source
    return replace(
        record,
        text=without_people(record.text),
        context=without_people(record.context),
        tags=tuple(without_people(tag) for tag in record.tags),
        session=without_people(record.session),
        speaker=without_people(record.speaker),
        source=None if source is None else replace(source, uri=without_people(source.uri)),
        model="",
    )
