"""Whether a shorter text says only what its sources say."""

import pytest

from ourcli.memory.lifecycle.faithful import invented, passed_over, turned
from tests.promises import promise

SOURCE = "We decided to use PostgreSQL 16 for billing, because audits need 30 days of history. Priya owns it."


@promise("memory.distil.no-invention")
@pytest.mark.parametrize(
    ("text", "foreign"),
    [
        ("Use PostgreSQL 16 for billing.", ()),
        ("Billing runs on PostgreSQL 16 with thirty days of history.", ()),
        ("Priya keeps 30 days.", ()),
        ("Use PostgreSQL 17.", ("17",)),
        ("Use MySQL for billing.", ("MySQL",)),
        ("use redis for billing", ("redis",)),
        ("MariaDB is used for billing.", ("MariaDB",)),
        ("Marta owns it.", ("Marta",)),
        ("Keep 30 weeks of history.", ("30 weeks",)),
        ("Keep two months of history.", ("two months",)),
        ("There are seven audits.", ("seven",)),
        ("It starts on 2026-01-01.", ("2026-01-01",)),
        ("Use `billing.conf.d` for it.", ("billing.conf.d", "conf")),
        ("# Billing with 99\n```\nx = 41\n```", ("99", "41")),
    ],
)
def test_numbers_and_names_that_no_source_holds_are_found(text: str, foreign: tuple[str, ...]) -> None:
    assert invented(text, [SOURCE]) == foreign


@promise("memory.distil.no-invention")
@pytest.mark.parametrize(
    ("text", "source", "wrong"),
    [
        ("We use Kafka.", "We will not use Kafka.", True),
        ("We don't use Kafka.", "We use Kafka.", True),
        ("No Kafka for us.", "We won't use Kafka.", False),
        ("We use Kafka.", "We chose Kafka.", False),
    ],
)
def test_a_turned_sense_is_noticed(text: str, source: str, wrong: bool) -> None:
    assert turned(text, [source]) is wrong


def test_a_source_of_which_nothing_is_told_is_noticed() -> None:
    other = "Deployments happen on Tuesdays at 10:00."
    assert passed_over("Use PostgreSQL 16 for billing.", [SOURCE, other]) == (other,)
    assert passed_over("PostgreSQL 16; deployments on Tuesdays.", [SOURCE, other, "no facts in here"]) == ()
