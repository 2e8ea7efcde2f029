"""Checking answers as small models write them: right ones stay clean, inventions are marked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ourcli.common.claims import Claim, unsupported
from ourcli.core.answer import mark, missing_facts
from tests.promises import promise

QUESTION = "what TTL did we decide for the cache?"
EVIDENCE = (
    "We decided to use a write-through cache with a 15 minute TTL",
    "On 2026-03-12 Ada Lovelace set cache.max_entries to 5,000 in src/core/cache.py, evicting the least recently"
    " used entries first. Release v1.4.2 ships at 09:30 with 3 GB of RAM, at most 80% full.",
)

RIGHT = [
    "The TTL for the cache is 15 minutes [1].",
    "We decided on a write-through cache with a fifteen-minute TTL [1].",
    "The TTL is 900 seconds (15 min) [1].",
    "A quarter of an hour, i.e. 15m.",
    "**TTL:** 15 minutes\n\n1. The cache is `WriteThrough`.\n2. It expires after 15 min.",
    "According to note 1, the team decided to use a write-through cache with a 15 minute TTL. [1]",
    "On 12 March 2026, Ada Lovelace set `cache.max_entries` to 5000 [2].",
    "On March 12th, Ada's limit was 5k entries with LRU eviction [2].",
    "Ada Lovelace set it in `cache.py` on 2026-03-12.",
    "My notes do not say.",
    "There are two reasons: first, Write-Through keeps data consistent. Second, the 15-minute TTL bounds staleness.",
    "The notes don't specify the exact TTL and/or size, e.g. in MB.",
    "## Cache Design\n\nThe cache is a Write-Through cache.\n\n- **Consistency**: High\n- **TTL**: 15 minutes",
    "Step 1: Set the TTL to 15 minutes. See [1, 2].",
    "Version 1.4.2 ships at 9:30 and needs 3 gigabytes, or 3072 MB.",
    "It may be at most 80 percent full. May I help further?",
    "Caching improves speed. Using a TTL of 15 minutes is the decision. However, Consistency matters.",
    "Time To Live (TTL): 15 minutes\n\n| Setting | Value |\n|---|---|\n| TTL | 15 minutes |",
    "The read/write path goes through the cache; see https://example.org/a/b?x=99 for the idea.",
]

WRONG = [
    ("The TTL is 30 minutes [1].", ["30 minutes"]),
    ("The TTL is 15 seconds.", ["15 seconds"]),
    ("The TTL is twenty-five minutes.", ["twenty-five minutes"]),
    ("We decided to use Redis with a 15 minute TTL.", ["Redis"]),
    ("Redis is the cache, with 15 minute TTL.", ["Redis"]),
    ("It was Grace Hopper who set it on 13 March 2026.", ["Grace Hopper", "13"]),
    ("On 2026-03-13 it was set to 5000.", ["2026-03-13"]),
    ("It was set in April.", ["April"]),
    ("It calls `CacheManager` in `src/ttl.py`.", ["CacheManager", "src/ttl.py"]),
    ("We picked LFU with a 15 minute TTL.", ["LFU"]),
    ("Set `--ttl-max` and `ttl_seconds` to **25**.", ["--ttl-max", "ttl_seconds", "25"]),
    ("Version 1.4.3 has a 10% hit rate at 10:30.", ["1.4.3", "10%", "10:30"]),
    ("It holds 5M rows in 4 GB.", ["5M", "4 GB"]),
    ("The answer is: Postgres, on Tuesday.", ["Tuesday"]),
]


@promise("core.answer.trusts")
@pytest.mark.parametrize("answer", RIGHT)
def test_a_right_answer_in_other_words_stays_unmarked(answer: str) -> None:
    assert [claim.text for claim in unsupported(answer, EVIDENCE, QUESTION)] == []


@promise("core.answer.marks")
@pytest.mark.parametrize(("answer", "invented"), WRONG)
def test_what_nothing_holds_is_found(answer: str, invented: list[str]) -> None:
    assert [claim.text for claim in unsupported(answer, EVIDENCE, QUESTION)] == invented


@promise("core.answer.marks")
def test_marks_stand_after_the_claim_and_outside_code_and_bold() -> None:
    answer = "Use `ttl_max = 25` and **Redis** for 30 minutes."
    marked = mark(answer, unsupported(answer, EVIDENCE, QUESTION))
    assert marked == "Use `ttl_max = 25`[?] and **Redis**[?] for 30 minutes[?]."


def test_fenced_code_is_never_touched() -> None:
    answer = "As follows:\n```python\nttl = RedisCache(900, 'Tuesday')\n```\n"
    assert unsupported(answer, EVIDENCE, QUESTION) == ()


@promise("core.answer.marks")
def test_without_evidence_numbers_are_claims_and_general_knowledge_is_not() -> None:
    answer = "Use Redis or Memcached with LRU eviction. You decided on 30 minutes."
    assert [claim.text for claim in unsupported(answer, (), QUESTION)] == ["30 minutes"]


def test_what_the_question_says_is_no_invention() -> None:
    assert unsupported("Redis keeps it for 7 days.", ("It is kept.",), "does Redis keep it for a week?") == ()


def test_a_bare_number_in_the_evidence_holds_any_unit() -> None:
    assert unsupported("It waits 30 seconds.", ("RETRY_WAIT = 30",), "how long?") == ()


@promise("core.answer.missed")
def test_an_answer_that_holds_nothing_the_evidence_adds_is_noticed() -> None:
    assert missing_facts("It depends on the load.", EVIDENCE[:1], QUESTION) == ("15 minute",)
    assert missing_facts("The TTL is 30 minutes.", EVIDENCE[:1], QUESTION) == ("15 minute",)
    assert missing_facts("The TTL is short: use Redis.", EVIDENCE[:1], QUESTION) == ("15 minute",)


@promise("core.answer.missed")
def test_an_answer_that_holds_some_of_it_misses_nothing() -> None:
    note = "The staging database is called heron and runs Postgres 16."
    assert missing_facts("It is called heron.", (note,), "what is the staging database called?") == ()
    assert missing_facts("Fifteen minutes.", EVIDENCE[:1], QUESTION) == ()
    assert missing_facts("Yes.", ("The cache has a TTL",), QUESTION) == ()


@given(st.text())
def test_marks_are_all_that_changes(answer: str) -> None:
    claims = unsupported(answer, EVIDENCE, QUESTION)
    assert mark(answer, claims).replace("[?]", "") == answer.replace("[?]", "")
    assert all(answer[slice(*claim.span)] == claim.text for claim in claims)


def test_no_claims_leave_the_answer_as_it_is() -> None:
    assert mark("text", ()) == "text"
    assert mark("a 5", (Claim(text="5", span=(2, 3)),)) == "a 5[?]"
