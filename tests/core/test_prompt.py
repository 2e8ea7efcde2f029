"""Packing a prompt: the budget holds, rules and question stay whole, the rest goes in by worth."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ourcli.common.errors import InvalidInputError
from ourcli.common.ids import RecordId
from ourcli.core.prompt import (
    FREE_RULES,
    GROUNDED_RULES,
    MESSAGE_TOKENS,
    Attachment,
    Evidence,
    PromptParts,
    PromptRequest,
    Turn,
    pack,
)
from ourcli.memory.layers import Layer
from ourcli.memory.query import Hit, LegScore, ScoreCard
from ourcli.memory.record import Record, Source
from tests.promises import promise

pytestmark = pytest.mark.anyio
QUESTION = "what TTL did we decide for the cache?"


class Counter:
    """Counts words and signs as tokens, and what it was asked to read."""

    def __init__(self) -> None:
        self.calls = 0
        self.chars = 0

    async def __call__(self, text: str) -> int:
        self.calls += 1
        self.chars += len(text)
        return len(re.findall(r"\w{1,6}|[^\w\s]", text))


def evidence(key: str, text: str, score: float, label: str = "") -> Evidence:
    return Evidence(key=key, text=text, score=score, label=label)


async def packed(budget: int, **parts: object) -> PromptParts:
    request = PromptRequest(**{"question": QUESTION, **parts})  # type: ignore[arg-type]  # named by the tests
    return await pack(request, budget_tokens=budget, count=Counter())


@pytest.mark.parametrize("question", ["", "  \n"])
async def test_an_empty_question_is_refused(question: str) -> None:
    with pytest.raises(InvalidInputError, match="the question is empty"):
        await packed(1000, question=question)


@promise("core.prompt.never-cut")
async def test_a_question_that_does_not_fit_beside_the_rules_is_refused_with_what_to_do() -> None:
    with pytest.raises(InvalidInputError, match="the question is too long: at least") as caught:
        await packed(200, question="why " * 300)
    assert "--file" in caught.value.hint


@promise("core.prompt.never-cut")
async def test_a_question_of_a_megabyte_is_refused_without_being_counted() -> None:
    counter = Counter()
    with pytest.raises(InvalidInputError, match="too long"):
        await pack(PromptRequest(question="why? " * 200_000), budget_tokens=4000, count=counter)
    assert counter.chars < 2000


@promise("core.prompt.never-cut")
async def test_attachments_and_evidence_of_megabytes_are_counted_in_bounded_pieces() -> None:
    counter = Counter()
    big = "A sentence of words. " * 50_000
    request = PromptRequest(
        question=QUESTION,
        evidence=tuple(evidence(str(number), big, 0.5) for number in range(5)),
        attachments=(Attachment(name="big.txt", text=big),),
    )
    await pack(request, budget_tokens=1000, count=counter)
    assert counter.chars < 150_000


async def test_evidence_goes_in_by_score_under_numbers_with_its_label() -> None:
    parts = await packed(
        1000, evidence=(evidence("low", "The low one.", 0.2), evidence("high", "The high one.", 0.9, "notes.md:3-4"))
    )
    assert [(one.number, one.evidence.key) for one in parts.evidence] == [(1, "high"), (2, "low")]
    assert parts.messages[0].content == GROUNDED_RULES
    assert parts.messages[-1].content == (f"- (notes.md:3-4) The high one.\n- The low one.\n\nQuestion: {QUESTION}")


async def test_without_evidence_the_rules_forbid_to_claim_what_the_user_decided() -> None:
    parts = await packed(1000, instruction="In three points.")
    assert [message.content for message in parts.messages] == [FREE_RULES, f"In three points.\n\n{QUESTION}"]


@promise("core.prompt.left-out")
async def test_the_least_relevant_evidence_is_left_out_and_named() -> None:
    texts = [f"Fact number {number} about the cache and nothing else at all." for number in range(40)]
    parts = await packed(400, evidence=tuple(evidence(f"e{n}", text, n / 40) for n, text in enumerate(texts)))
    keys = [one.evidence.key for one in parts.evidence]
    assert keys[0] == "e39"
    assert {"evidence e0", "evidence e1"} <= {one.what for one in parts.left_out}
    assert all(one.why for one in parts.left_out)


@promise("core.prompt.left-out")
async def test_a_long_piece_of_evidence_is_cut_at_a_sentence() -> None:
    parts = await packed(400, evidence=(evidence("long", "A sentence about the cache. " * 100, 1.0),))
    assert parts.evidence[0].was_cut
    assert parts.evidence[0].text.endswith("cache. …")
    assert parts.left_out[0].what == "the rest of evidence long"


@promise("core.prompt.left-out")
async def test_of_a_conversation_the_latest_turns_stay_and_the_first_kept_is_the_user_s() -> None:
    turns = tuple(
        Turn(role="user" if number % 2 == 0 else "assistant", text=f"turn {number} " + "word " * 20)
        for number in range(20)
    )
    parts = await packed(300, conversation=turns)
    assert parts.turns == turns[-len(parts.turns) :]
    assert 0 < len(parts.turns) < 20
    assert parts.turns[0].role == "user"
    assert [message.role for message in parts.messages][:2] == ["system", "user"]
    assert parts.left_out[0].what == f"{20 - len(parts.turns)} earlier turns"


async def test_attachments_go_in_under_their_names() -> None:
    parts = await packed(1000, attachments=(Attachment(name="log.txt", text="line one"),))
    assert parts.messages[-1].content == f"Attached text log.txt:\nline one\n\n{QUESTION}"


async def test_what_one_group_does_not_use_another_may() -> None:
    notes = tuple(evidence(f"e{n}", "Some words about the cache that take some room. " * 3, 0.5) for n in range(30))
    alone = await packed(900, evidence=notes)
    beside = await packed(900, evidence=notes, conversation=(Turn(role="user", text="hello"),))
    assert abs(len(alone.evidence) - len(beside.evidence)) <= 1


def test_a_hit_is_labelled_with_its_file_and_lines() -> None:
    at, source = datetime(2026, 1, 1, tzinfo=UTC), Source(uri="/notes/a/notes.md", lines=(3, 9), sha256="0" * 64)
    record = Record(id=RecordId("r1"), text="text", layer=Layer.ASSETS, ts=at, source=source)
    leg = LegScore(rank=1, score=1.0)
    card = ScoreCard(
        vector=leg, text=leg, fused=1.0, layer_weight=0.8, recency=1.0, rerank=None, kept="it was the best"
    )
    made = Evidence.from_hit(Hit(record=record, score=0.8, card=card))
    assert (made.key, made.label, made.score, made.source) == ("r1", "notes.md:3-9", 0.8, source)


_TEXT = st.text(alphabet="ab c.\n…é", max_size=400)


@promise("core.prompt.budget")
@given(
    budget=st.integers(0, 700),
    evidence_texts=st.lists(_TEXT, max_size=6),
    turns=st.lists(_TEXT, max_size=6),
    attached=st.lists(_TEXT, max_size=2),
)
async def test_the_packed_prompt_never_exceeds_its_budget(
    budget: int, evidence_texts: list[str], turns: list[str], attached: list[str]
) -> None:
    request = PromptRequest(
        question=QUESTION,
        evidence=tuple(evidence(str(number), text, number) for number, text in enumerate(evidence_texts)),
        conversation=tuple(Turn(role="user", text=text) for text in turns),
        attachments=tuple(Attachment(name="a", text=text) for text in attached),
    )
    count = Counter()
    try:
        parts = await pack(request, budget_tokens=budget, count=count)
    except InvalidInputError:
        assert budget < 130
        return
    used = [await count(message.content) + MESSAGE_TOKENS for message in parts.messages]
    assert sum(used) <= budget
    assert parts.tokens["total"] <= budget
    assert parts.messages[-1].content.endswith(QUESTION)
