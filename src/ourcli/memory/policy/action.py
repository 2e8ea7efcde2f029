"""What a rule decided about a record: announced by `simulate`, carried out by `apply`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ourcli.memory.layers import Layer
from ourcli.memory.ledger import Verb


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One effect that is due.

    Attributes:
        rule: The rule's name.
        rule_version: Digest of its content, hex.
        verb: What is to be done.
        record_ids: The records it is about: one, or for `summarise` all that become one summary.
        origin: The layer they are in.
        target: The layer they (or the summary) go to; None when they expire.
        because: Why, in a sentence with the facts and thresholds.
        inputs: The same as plain JSON data, for the ledger.
        distil: Reduce the text to the sentences that carry the decision.
        tags: Tags to add.
    """

    rule: str
    rule_version: str
    verb: Verb
    record_ids: tuple[str, ...]
    origin: Layer
    target: Layer | None
    because: str
    inputs: Mapping[str, object] = field(default_factory=dict)
    distil: bool = False
    tags: tuple[str, ...] = ()
