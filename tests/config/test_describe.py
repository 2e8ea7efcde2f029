"""The reference and `config show`."""

import json
from pathlib import Path

from ourcli.config.describe import describe
from ourcli.config.keys import all_keys, shown
from ourcli.config.load import Overrides, load
from ourcli.config.locations import Home
from ourcli.config.toml_file import parse
from tests.promises import promise


@promise("config.key.documented")
def test_every_key_says_what_it_means_and_takes() -> None:
    for key in all_keys().values():
        assert key.doc.endswith("."), key.name
        assert key.in_words, key.name
        assert key.variable == "OURCLI_" + key.name.upper().replace(".", "_")


def test_types_are_told_in_words() -> None:
    words = {key.name: key.in_words for key in all_keys().values()}
    assert words["ai.threads"] == "a whole number from 0 to 512"
    assert words["ai.prefill_seconds"] == "a number above 0 to 600"
    assert words["ingest.include"] == "a list of patterns"
    assert words["memory.inbox"] == "true or false"


def test_a_row_carries_value_and_origin_as_json_data(home: Path) -> None:
    values = {"ingest.exclude": ["a", 'b"c'], "memory.rules": [{"id": "x"}]}
    loaded = load(Home(home), {}, home.parent, Overrides(values=values))
    rows = {row.key: row for row in describe(loaded)}
    assert list(rows) == list(all_keys())
    assert json.loads(json.dumps([row.value for row in rows.values()]))
    assert (rows["ingest.exclude"].value, str(rows["ingest.exclude"].origin)) == (["a", 'b"c'], "flag")
    for row in rows.values():
        assert parse(f"x = {row.text}".encode(), home).table["x"] == row.value


def test_a_value_is_shown_as_toml_writes_it() -> None:
    assert shown({"a b": [True, 1, 'x\\"y']}) == '{"a b" = [true, 1, "x\\\\\\"y"]}'
