"""Kinds: which weights rank a record, and what a text of unknown origin looks like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ourcli.memory.retrieval.kinds import kind_of_text, weights_for
from tests.promises import promise

CODE = (
    'def add(a, b):\n    """Add two numbers.\n\n    Both are whole. Nothing is rounded.\n    """\n    return a + b',
    "@cached\ndef one(): return 1",
    "# licence\nimport os\n\nclass Reader(Base):\n    pass",
    "public int add(int a, int b) { return a + b; }",
    'func main() {\n\tfmt.Println("x")\n}',
    "const f = (x) => x + 1;\nmodule.exports = f;",
    "function find($needle) { return $this->all[$needle]; }",
    "fn main() -> Result<()> {\n    run()\n}",
    "SELECT name FROM users WHERE id = 3",
    "x = 1\ny = compute(x)\nprint(y)",
)
RUNNING_TEXT = (
    "The wing was tested in a slipstream. Lift rose with the angle of attack.",
    "Select a user from the list. Then update it.",
    "class war: a history. It was long.",
    "# Title\n\nCall `foo(bar)` first. Then the cache is warm.",
)
NOTES = ("We decided on a write-through cache", "- buy milk\n- call Bob", "TTL = 15 minutes", '{"a": 1}', "42")


@promise("memory.kinds")
@pytest.mark.parametrize("text", CODE)
def test_source_code_of_many_languages_looks_like_code(text: str) -> None:
    assert kind_of_text(text) == "code"


@promise("memory.kinds")
@pytest.mark.parametrize("text", RUNNING_TEXT)
def test_two_sentences_are_running_text_also_when_they_tell_of_code(text: str) -> None:
    assert kind_of_text(text) == "document"


@pytest.mark.parametrize("text", NOTES)
def test_what_is_neither_is_a_note(text: str) -> None:
    assert kind_of_text(text) == "note"


@given(st.text(max_size=300))
def test_every_text_has_a_kind(text: str) -> None:
    assert kind_of_text(text) in {"code", "document", "note"}


@promise("memory.kinds")
@pytest.mark.parametrize(
    ("kind", "session", "turn", "weights"),
    [
        ("note", "s", 0, "talk"),
        ("code", "s", 3, "talk"),
        ("code", "s", -1, "code"),
        ("document", "", 4, "prose"),
        ("decision", "s", -1, "equal"),
        ("note", "", -1, "equal"),
    ],
)
def test_a_turn_is_talk_and_an_unknown_kind_gets_equal_weights(
    kind: str, session: str, turn: int, weights: str
) -> None:
    assert weights_for(kind, session, turn) == weights
