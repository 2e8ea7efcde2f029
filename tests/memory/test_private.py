"""Addresses and user names: what is taken out of a text, and what stays."""

from dataclasses import replace

import pytest

from ourcli.memory.private import anonymous, without_people
from ourcli.memory.record import Source
from tests.promises import promise
from tests.support.records import a_record

HOMES = "/home"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "git@github.com:foo/bar.git",
        "a decorator: @dataclass and x @ y",
        "/home and /usr/share/man, /Users/Shared/fonts",
        "version 1.2.3, user@localhost",
        "/home/[user]/notes and [email]",
    ],
)
def test_what_names_nobody_stays(text: str) -> None:
    assert without_people(text) == text


@promise("memory.privacy.export")
@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("ask ann.bee+x@mail.example.com.", "ask [email]."),
        (f"in {HOMES}/annbee/src/x.py:12", f"in {HOMES}/[user]/src/x.py:12"),
        ("in /Users/ann bee", "in /Users/[user] bee"),
        (r"C:\Users\annbee\notes.md", r"C:\Users\[user]\notes.md"),
        ("C:/Users/annbee/notes.md", "C:/Users/[user]/notes.md"),
        (f"file://{HOMES}/annbee/x", f"file://{HOMES}/[user]/x"),
        (f"'{HOMES}/annbee'", f"'{HOMES}/[user]'"),
    ],
)
def test_addresses_and_user_names_go(text: str, clean: str) -> None:
    assert without_people(text) == clean


@promise("memory.privacy.export")
def test_every_word_of_a_record_is_cleaned() -> None:
    record = a_record(
        "mail ann@bee.org",
        context="ann@bee.org said",
        tags=("ann@bee.org", "cache"),
        speaker="ann@bee.org",
        session="with ann@bee.org",
        source=Source(uri=f"{HOMES}/ann/x.md", lines=(1, 2), sha256="ab"),
        model="digest",
    )

    assert anonymous(record) == replace(
        record,
        text="mail [email]",
        context="[email] said",
        tags=("[email]", "cache"),
        speaker="[email]",
        session="with [email]",
        source=Source(uri="/home/[user]/x.md", lines=(1, 2), sha256="ab"),
        model="",
    )
