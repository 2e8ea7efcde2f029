"""Images, ledger entries and proposals for tests."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from ourcli.common.ids import new_id
from ourcli.memory.inbox import Proposal
from ourcli.memory.layers import Layer
from ourcli.memory.ledger import Image, LedgerEntry, SourceDigest, Verb
from ourcli.memory.lifecycle.moves import Reason, change, relaid
from ourcli.memory.policy.action import Action
from tests.support.records import NOON, a_record, axis

VERSION = "ab12" * 16


def an_image(text: str = "we chose sqlite", *, place: int = 0, **changes: object) -> Image:
    """Return a record of the interact layer with a vector along one axis."""
    record = a_record(text, **{"layer": Layer.INTERACT, **changes})
    return Image(record=record, vector=axis(place)[0])


def a_reason(verb: Verb = Verb.PROMOTE, **changes: object) -> Reason:
    """Return the reason that a rule has for a move at noon."""
    base = Reason(
        entry_id=new_id(NOON),
        verb=verb,
        at=NOON,
        rule="promote-decision",
        rule_version=VERSION,
        inputs={"older_than": "24h", "records": [{"tags": ["decision"], "uses": 3}]},
        trace_id="trace-1",
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # the caller names fields of Reason


def a_promotion(image: Image, **changes: object) -> LedgerEntry:
    """Return the entry of a promotion to insights."""
    return change(a_reason(Verb.PROMOTE, **changes), [image], [relaid(image, Layer.INSIGHTS)]).entry


def an_undo(entry: LedgerEntry, *, hours: int = 1) -> LedgerEntry:
    """Return the entry that takes one back."""
    reason = Reason(entry_id=new_id(NOON), verb=Verb.UNDO, at=NOON + timedelta(hours=hours), undoes=entry.id)
    return change(reason, entry.after, entry.before).entry


def plain(images: Sequence[Image]) -> list[tuple[object, bytes]]:
    """Return images in a form that can be compared."""
    return [(one.record, one.vector.tobytes()) for one in images]


def a_proposal(record_id: str = "a", version: str = "v1") -> Proposal:
    """Return a promotion of one record that waits."""
    action = Action(
        rule="promote-decision",
        rule_version="ab" * 32,
        verb=Verb.PROMOTE,
        record_ids=(record_id,),
        origin=Layer.INTERACT,
        target=Layer.INSIGHTS,
        because="33 h old (more than 24 h)",
        inputs={"records": [{"id": record_id, "tags": ["decision"]}]},
        distil=True,
        tags=("kept",),
    )
    at = NOON + timedelta(microseconds=5)
    return Proposal(id=new_id(NOON), at=at, action=action, versions=(SourceDigest(id=record_id, sha256=version),))
