"""Which notes an answer stands on."""

import pytest

from ourcli.core.citing import declines, stands_on
from ourcli.core.openness import is_open
from ourcli.core.prompt import Evidence, PackedEvidence
from tests.promises import promise

_NOTES = tuple(
    PackedEvidence(number=number, evidence=Evidence(key=str(number), text=text, score=1.0), text=text)
    for number, text in enumerate(
        ["The cache has a TTL of 15 minutes", "Anna owns the billing migration", "Deploys happen on Tuesdays"], start=1
    )
)


@promise("core.citing")
@pytest.mark.parametrize(
    ("answer", "numbers"),
    [
        ("15 minutes.", [1]),
        ("It is fifteen minutes.", [1]),
        ("Anna does [2].", [2]),
        ("See [1, 3].", [1, 3]),
        ("Deploys happen on Tuesdays, and Anna owns billing.", [2, 3]),
        ("Caches are nice.", []),
        ("My notes do not say.", []),
        ("The notes don't mention Anna [2].", []),
        ("[9]", []),
    ],
)
def test_an_answer_stands_on_the_notes_it_names_or_repeats(answer: str, numbers: list[int]) -> None:
    assert [note.number for note in stands_on(answer, _NOTES, "how long, who, when?")] == numbers


def test_words_of_the_question_are_no_sign_of_a_note() -> None:
    assert stands_on("The billing migration is important.", _NOTES, "who owns the billing migration?") == ()


def test_a_long_answer_that_mentions_a_missing_note_still_stands_on_what_it_repeats() -> None:
    assert not declines("The cache has a TTL of 15 minutes. " * 20 + "My notes do not say more.")


@pytest.mark.parametrize(
    ("question", "open_"),
    [
        ("design cache layer", True),
        ("Please write a test for it", True),
        ("can you explain the TTL?", True),
        ("help me plan the week", True),
        ("what TTL did we decide for the cache?", False),
        ("how do I add a recipe?", False),
        ("who designs the landing page?", False),
        ("when do we plan the week?", False),
        ("", False),
    ],
)
def test_a_task_is_told_from_a_question(question: str, open_: bool) -> None:
    assert is_open(question) is open_
