"""What the rules look at: every record that one of them could take, with its use and when it settled."""

from collections.abc import Sequence
from datetime import datetime

from ourcli.memory.ledger import Ledger, SourceDigest
from ourcli.memory.policy.decide import scopes
from ourcli.memory.policy.facts import Facts
from ourcli.memory.policy.rule import Rule
from ourcli.memory.ports import RecordStore
from ourcli.memory.record import Record
from ourcli.memory.usage import UNUSED, UsageBook


async def gather_facts(
    store: RecordStore, ledger: Ledger, usage: UsageBook, rules: Sequence[Rule], at: datetime
) -> dict[str, Facts]:
    """Return the facts about all projects' records that a rule could take, by id.

    What a person took back stays so: a record that a rule in force moved and that was brought back is left alone
    by all rules, until its text or that rule changes.
    """
    settled = await ledger.settled()
    taken_back = await ledger.taken_back()
    spared = {source for version, source in taken_back if version in {rule.version for rule in rules}}
    spared_ids = {source.id for source in spared}
    facts: dict[str, Facts] = {}
    for where in scopes(rules, at):
        found = [one for one in await store.fetch(where) if not _is_spared(one, spared, spared_ids)]
        uses = await usage.of([one.id for one in found])
        facts |= {
            one.id: Facts(record=one, usage=uses.get(one.id, UNUSED), promoted_at=settled.get(one.id)) for one in found
        }
    return facts


def _is_spared(record: Record, spared: set[SourceDigest], spared_ids: set[str]) -> bool:
    return record.id in spared_ids and SourceDigest.of(record) in spared
