"""A rule: which records it is about, and what becomes of them."""

import json
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from ourcli.memory.layers import Layer
from ourcli.memory.ledger import Verb
from ourcli.memory.policy.duration import written
from ourcli.memory.record import Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A number's bounds, both included; None where there is none."""

    least: int | None = None
    most: int | None = None

    def holds(self, number: int) -> bool:
        """Say whether a number lies within."""
        return (self.least is None or number >= self.least) and (self.most is None or number <= self.most)


ANY = Range()


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """Conditions, of which all must hold. None and empty mean "any".

    Attributes:
        layer: Where the record lies.
        older_than: It was said or written longer ago than this.
        unused_for: It was not used for longer than this; never used counts from its promotion, else from when it
            was written.
        tags: It carries all of them.
        kind: Its kind.
        uses: How often it was used.
        distinct_queries: By how many different questions it was used.
        trust: Who the text comes from.
        pinned: True for pinned records, which no other rule touches.
    """

    layer: Layer | None = None
    older_than: timedelta | None = None
    unused_for: timedelta | None = None
    tags: tuple[str, ...] = ()
    kind: str | None = None
    uses: Range = ANY
    distinct_queries: Range = ANY
    trust: Trust | None = None
    pinned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Then:
    """What becomes of the records.

    Attributes:
        do: promote, demote, summarise, expire or tag.
        to: The layer they, or their summary, go to; None for `expire` and `tag`.
        distil: Reduce the text to the sentences that carry the decision.
        tags: Tags to add.
    """

    do: Verb
    to: Layer | None = None
    distil: bool = False
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule; `version` is the digest of what it says."""

    name: str
    when: When
    then: Then

    def as_data(self) -> dict[str, object]:
        """Return the rule as plain data, as it would be written in TOML; what is not set is left out."""
        return {"name": self.name, "when": _conditions(self.when), "then": _effects(self.then)}

    @property
    def version(self) -> str:
        """Hex sha256 of the rule's canonical JSON: the same for `24h` and `1440m`."""
        canonical = json.dumps(self.as_data(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return sha256(canonical.encode("ascii")).hexdigest()


def _conditions(when: When) -> dict[str, object]:
    return _given(
        {
            "layer": when.layer.value if when.layer else None,
            "older_than": written(when.older_than) if when.older_than else None,
            "unused_for": written(when.unused_for) if when.unused_for else None,
            "tags": list(when.tags),
            "kind": when.kind,
            "uses": _range(when.uses),
            "distinct_queries": _range(when.distinct_queries),
            "trust": when.trust.value if when.trust else None,
            "pinned": when.pinned,
        }
    )


def _effects(then: Then) -> dict[str, object]:
    to = then.to.value if then.to else None
    return _given({"do": then.do.value, "to": to, "distil": then.distil, "tags": list(then.tags)})


def _range(given: Range) -> dict[str, int]:
    return {name: bound for name, bound in (("min", given.least), ("max", given.most)) if bound is not None}


def _given(table: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in table.items() if value not in (None, [], {}, False)}
