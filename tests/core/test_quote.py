"""Quoting: word for word, the part that speaks to the question, under its number."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ourcli.common.sentences import cut, spans
from ourcli.core.prompt import Evidence, PackedEvidence
from ourcli.core.quote import excerpt, quote
from tests.promises import promise

FILLER = "Nothing in this sentence matters to anybody, it is only here to take up some room on the page. "
DOCUMENT = (
    f"# Guide\n\n{FILLER * 5}\n\n## Adding a recipe\n\nTo add a recipe, run `ourcli recipes new NAME` and change the"
    f' file it made.\n\n```toml\nname = "mine"\n```\n\n## Other matters\n\n{FILLER * 5}'
)


def packed(number: int, text: str, shown: str | None = None) -> PackedEvidence:
    return PackedEvidence(number=number, evidence=Evidence(key=str(number), text=text, score=1.0), text=shown or text)


@promise("core.quote.verbatim")
def test_a_short_record_is_quoted_whole_with_its_number() -> None:
    text = "We decided to use a write-through cache with a 15 minute TTL"
    assert quote([packed(2, text)], "what TTL?") == f"> {text} [2]"


@promise("core.quote.verbatim")
def test_of_a_long_text_the_part_that_speaks_to_the_question_is_quoted() -> None:
    quoted = quote([packed(1, DOCUMENT)], "how do I add a recipe?")
    assert "> To add a recipe, run `ourcli recipes new NAME` and change the file it made." in quoted
    assert quoted.startswith("> … ## Adding a recipe")
    assert quoted.endswith("… [1]")
    assert all(line.startswith(">") for line in quoted.splitlines())


def test_what_the_model_saw_cut_is_quoted_from_the_whole() -> None:
    assert quote([packed(1, "One. The TTL is 15 minutes.", "One. …")], "TTL?") == "> One. The TTL is 15 minutes. [1]"


def test_only_the_first_pieces_are_quoted() -> None:
    assert quote([packed(number, f"Text {number}.") for number in range(1, 9)], "q", most=2).count("[") == 2


@promise("core.quote.verbatim")
@given(st.text(alphabet="ab .\n!#-TL1é", max_size=2000), st.text(alphabet="ab TL", max_size=30))
def test_every_excerpt_is_part_of_the_text(text: str, question: str) -> None:
    found = excerpt(text, question)
    core = found if found == text else found.removeprefix("… ").removesuffix(" …")
    assert core in text
    assert len(found) <= 1000


@given(st.text(alphabet="aB .\n!?-#1`…", max_size=500))
def test_sentences_are_in_order_and_hold_every_letter(text: str) -> None:
    found = spans(text)
    assert all(start < end for start, end in found)
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(found))
    assert "".join("".join(text[a:b].split()) for a, b in found) == "".join(text.split())


def test_sentences_end_where_a_reader_ends_them() -> None:
    text = "Use v1.2, e.g. for tests. It works!\n\n- one\n- two\n1. three"
    assert [text[a:b] for a, b in spans(text)] == [
        "Use v1.2, e.g. for tests.",
        "It works!",
        "- one",
        "- two",
        "1. three",
    ]


def test_a_cut_text_ends_with_a_sentence() -> None:
    assert cut("One sentence here. Another one there.", 30) == "One sentence here. …"
    assert cut("short", 30) == "short"
