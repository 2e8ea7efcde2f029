"""Random changes of a store, what memory is after each of them, and how a process tells of them."""

import json
import random
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace

from ourcli.common.ids import RecordId
from ourcli.memory.backends.journaled_store import JournaledStore
from ourcli.memory.backends.sqlite_ledger import SqliteLedger
from ourcli.memory.layers import Layer
from ourcli.memory.ledger import Image, LedgerEntry, Verb
from ourcli.memory.query import Filter
from tests.support.records import NOON, a_record, axis

IDS = 8
RULE = "soak"
KINDS = ("put", "put", "put", "put", "bulk", "move", "move", "move", "forget", "forget", "flush", "compact")
_SAME = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One change, or a flush, a compaction, ...

    Attributes:
        kind: put, bulk, move, forget, flush, compact or erase.
        ids: The records.
        word: The text that they get: one word, which no other record has.
        layer: Where they are from now on.
        entry: Id of the ledger entry of a move.
    """

    kind: str
    ids: tuple[str, ...] = ()
    word: str = ""
    layer: Layer = Layer.INSIGHTS
    entry: str = ""

    def line(self) -> str:
        """Return it as a line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, line: str) -> "Deed":
        """Return what `line` wrote."""
        cells = json.loads(line)
        return cls(**{**cells, "ids": tuple(cells["ids"]), "layer": Layer(cells["layer"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What memory holds: text and layer by id, and the ids of the ledger's entries."""

    records: dict[str, tuple[str, Layer]] = field(default_factory=dict)
    entries: frozenset[str] = frozenset()

    def after(self, deed: Deed) -> "State":
        """Return what memory holds after a deed."""
        match deed.kind:
            case "put" | "bulk":
                return replace(self, records=self.records | dict.fromkeys(deed.ids, (deed.word, deed.layer)))
            case "forget":
                return replace(self, records={key: row for key, row in self.records.items() if key not in deed.ids})
            case "move":
                moved = {key: (self.records[key][0], deed.layer) for key in deed.ids}
                return State(records=self.records | moved, entries=self.entries | {deed.entry})
        return self

    def of(self, name: str) -> "State":
        """Return what of it a process made whose ids begin with its name."""
        records = {key: row for key, row in self.records.items() if key.startswith(f"{name}-")}
        return State(records=records, entries=frozenset(one for one in self.entries if one.startswith(f"{name}-")))


def draw(chance: random.Random, name: str, tag: str, state: State, kinds: tuple[str, ...] = KINDS) -> Deed:
    """Return a deed of a process on its own records; the tag, letters and digits, is no other deed's."""
    kind = chance.choice(kinds)
    mine = sorted(state.records)
    if kind in {"move", "forget"} and not mine:
        kind = "put"
    if kind == "move":
        record_id = chance.choice(mine)
        elsewhere = [layer for layer in Layer if layer is not state.records[record_id][1]]
        return Deed(kind=kind, ids=(record_id,), layer=chance.choice(elsewhere), entry=f"{name}-{tag}")
    if kind == "forget":
        return Deed(kind=kind, ids=(chance.choice(mine),))
    if kind in {"put", "bulk"}:
        several = 6 if kind == "bulk" else 1
        ids = tuple(dict.fromkeys(f"{name}-{chance.randrange(IDS)}" for _ in range(several)))
        return Deed(kind=kind, ids=ids, word=f"{name}x{tag}", layer=chance.choice(list(Layer)))
    return Deed(kind=kind)


async def do(store: JournaledStore, deed: Deed) -> None:
    """Carry a deed out; when this returns it is acknowledged."""
    match deed.kind:
        case "put" | "bulk":
            records = [a_record(deed.word, id=RecordId(one), layer=deed.layer) for one in deed.ids]
            await store.upsert(records, axis(*[_SAME] * len(records)))
        case "forget":
            await store.delete(deed.ids)
        case "move":
            await move(store, deed)
        case "flush":
            await store.flush()
        case "compact":
            await store.compact()
        case "erase":
            await store.erase()


async def move(store: JournaledStore, deed: Deed) -> None:
    """Move records to another layer, and write the entry that tells of it."""
    before = tuple(await store.images(deed.ids))
    after = tuple(Image(record=replace(one.record, layer=deed.layer), vector=one.vector) for one in before)
    layers = {one.record.id: (one.record.layer.value, deed.layer.value) for one in before}
    entry = LedgerEntry(
        id=deed.entry,
        verb=Verb.PROMOTE,
        rule=RULE,
        rule_version="1",
        at=NOON,
        before=before,
        after=after,
        touched=deed.ids,
        layers={str(key): value for key, value in layers.items()},
    )
    await store.commit(upserts=after, entries=[entry])


async def found_in(store: JournaledStore) -> State:
    """Return what memory holds, seen in several ways that must agree."""
    records = await store.fetch(Filter())
    assert len({one.id for one in records}) == len(records)
    assert sum(one.rows for one in (await store.stats()).values()) == len(records)
    scanned = [record.id async for rows in store.scan(Filter(), 100) for record, _ in rows]
    assert sorted(scanned) == sorted(one.id for one in records)
    for layer in Layer:
        near = await store.nearest(layer, axis(_SAME)[0], Filter(), 1_000)
        assert sorted(near.ids) == sorted(one.id for one in records if one.layer is layer)
    entries = await SqliteLedger(store.database).since(None)
    return State(
        records={one.id: (one.text, one.layer) for one in records}, entries=frozenset(one.id for one in entries)
    )


async def assert_found(store: JournaledStore, state: State, words: Iterable[str]) -> None:
    """Assert that a search for each word brings the records that have it, and no others."""
    for word in words:
        found = {one for layer in Layer for one in (await store.matching(layer, word, Filter(), 20)).ids}
        assert found == {key for key, (text, _) in state.records.items() if text == word}, word
