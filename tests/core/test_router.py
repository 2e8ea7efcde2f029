"""What kind of request a text is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ourcli.core.router import RequestKind, route
from tests.promises import promise

QUESTIONS = [
    "design cache layer",
    "what TTL did we decide for the cache?",
    "What did we decide about the cache",
    "did we decide on Postgres",
    "Did we agree to ship on Friday?",
    "why have we decided against Redis",
    "When we decided to use Kafka, what was the reason?",
    "tell me what we decided yesterday",
    "We decided what?",
    "we decided",
    "we decided nothing?",
    "We haven't decided on a database yet",
    "we have not agreed on anything",
    "we decided what to do about the outage",
    "How do I remember that password?",
    "remember when we moved to Kubernetes?",
    "Do you remember that bug in the parser?",
    "do you remember my name",
    "Can you remember that?",
    "remember that?",
    "remember this",
    "Remember the cache discussion",
    "what should I keep in mind when sharding?",
    "keep in mind",
    "note the difference between TCP and UDP",
    "release notes for 1.2",
    "Notes: how are they stored?",
    "Keep in mind that we use Postgres. How do I shard it?",
    "Note that we use Postgres. Design a schema for users",
    "decision trees explained",
    "decision:",
    "the decision is pending, what are the options?",
    "how do I ingest ./docs?",
    "ingest pipeline design for v1.2",
    "index funds vs. ETFs",
    "index ./docs and tell me what changed",
    "what is the tool call format?",
    "save this file as PDF how?",
    "don't forget to",
    "I decided?",
]

REMEMBER = {
    "remember that the staging database is called heron": "the staging database is called heron",
    "Remember: use tabs": "use tabs",
    "please remember that my cat is called Tom.": "my cat is called Tom.",
    "Can you please remember that my cat is called Tom?": "my cat is called Tom",
    "could you remember that we deploy on Thursdays": "we deploy on Thursdays",
    "I want you to remember that the port is 8080": "the port is 8080",
    "I'd like you to remember that the port is 8080": "the port is 8080",
    "remember my name is Ada": "my name is Ada",
    "remember the deploy key lives in the vault": "the deploy key lives in the vault",
    "remember to run the linter before pushing": "run the linter before pushing",
    "Don't forget that the demo is on Monday": "the demo is on Monday",
    "don’t forget to renew the certificate": "renew the certificate",
    "note that we use UTC everywhere": "we use UTC everywhere",
    "Note: the API key rotates weekly": "the API key rotates weekly",
    "note to self: call Bob": "call Bob",
    "Make a note that the printer is broken": "the printer is broken",
    "Keep in mind that we use Postgres 16": "we use Postgres 16",
    "please keep in mind, we never deploy on Fridays": "we never deploy on Fridays",
    "bear in mind that the cache is cold at start": "the cache is cold at start",
    "For the record, the budget is 5,000 euros": "the budget is 5,000 euros",
    "save this: https://example.org/x": "https://example.org/x",
    "  remember that\nline one\nline two": "line one\nline two",
}

DECISIONS = [
    "We decided to use a write-through cache with a 15 minute TTL",
    "we've decided on Postgres",
    "we have agreed to freeze the API",
    "We have now all agreed that tests come first",
    "We agreed on trunk-based development",
    "Decision: ship on Fridays",
    "Final decision: no ORM",
    "decided: tabs, not spaces",
    "Agreed to rotate keys weekly",
    "The team has decided to drop Python 3.10",
    "Yesterday the team agreed to freeze the API",
    "After a long discussion we settled on gRPC",
    "In today's meeting we decided to move to Berlin",
    "OK, we decided to keep SQLite",
    "FYI: we decided to keep SQLite",
    "It was decided that logs are kept for 30 days",
    "I decided to rewrite the parser",
    "we chose Redis over Memcached",
    "We're going with option B",
    "we went with server-side rendering",
    "The decision is to wait.",
    "so we agreed that v1.2 ships in May",
]


@promise("core.router.kinds")
@pytest.mark.parametrize("text", QUESTIONS)
def test_what_asks_is_a_question(text: str) -> None:
    routed = route(text)
    assert (routed.kind, routed.text, routed.tags) == (RequestKind.QUESTION, text, ())


@promise("core.router.kinds")
@pytest.mark.parametrize(("text", "statement"), REMEMBER.items())
def test_what_is_to_be_remembered_loses_the_words_of_command(text: str, statement: str) -> None:
    routed = route(text)
    assert (routed.kind, routed.text) == (RequestKind.REMEMBER, statement)


@promise("core.router.kinds")
@pytest.mark.parametrize("text", DECISIONS)
def test_a_stated_decision_is_kept_as_it_was_said_and_tagged(text: str) -> None:
    routed = route(text)
    assert (routed.kind, routed.text, routed.tags) == (RequestKind.DECISION, text, ("decision",))


@promise("core.router.kinds")
@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("ingest ./docs", ("./docs",)),
        ("please ingest ./docs README.md", ("./docs", "README.md")),
        ("index the folder ~/notes", ("~/notes",)),
        ("ingest docs/ and src/ourcli", ("docs/", "src/ourcli")),
        ("read in /var/log/app.log.", ("/var/log/app.log",)),
    ],
)
def test_files_to_read_are_named(text: str, paths: tuple[str, ...]) -> None:
    routed = route(text)
    assert (routed.kind, routed.paths) == (RequestKind.INGEST, paths)


def test_a_tool_that_is_named_outright_is_wanted() -> None:
    assert route("run the tool grep on src").kind is RequestKind.TOOL


def test_a_decision_that_is_to_be_remembered_is_tagged() -> None:
    routed = route("remember that we decided to use tabs")
    assert (routed.kind, routed.tags) == (RequestKind.REMEMBER, ("decision",))


@promise("core.router.any-input")
@given(st.text() | st.sampled_from([*REMEMBER, *DECISIONS]).flatmap(lambda head: st.text().map(lambda t: head + t)))
def test_any_text_has_a_kind(text: str) -> None:
    assert route(text).kind in RequestKind


@promise("core.router.any-input")
@pytest.mark.parametrize(
    "unit", ["a", " ", "we decided ", "remember that ", "ingest ./a ", "please ", ". design ", "\n"]
)
def test_a_megabyte_is_routed(unit: str) -> None:
    assert route(unit * (1_000_000 // len(unit))).kind in RequestKind
