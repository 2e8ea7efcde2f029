"""Grants as values: what a person or a policy allowed, to whom, for how long, and what changed since.

A grant is bound to the digest of its origin. When a plugin's module or manifest, or what an MCP server says of its
tools, changes, the digest is another one and nothing that was granted holds; what was granted to is kept as text so
that the difference can be shown when it is asked for again.

How long a grant holds: `once` is one call and never written down; `session` holds in the conversation it was given in,
or for every process of the terminal it was given at when there is no conversation, and for a day at most; `always`
holds until it is revoked.
"""

import difflib
import json
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from ourcli.tools.capabilities import Capability, Quota
from ourcli.tools.spec import Origin, ToolSpec

SESSION_LASTS: Final = timedelta(hours=24)
MOST_LINES: Final = 200
"""So many lines of a difference are shown."""


class Until(StrEnum):
    """How long a grant holds."""

    ONCE = "once"
    SESSION = "session"
    ALWAYS = "always"


class Grantor(StrEnum):
    """Who granted."""

    PERSON = "person"
    POLICY = "policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One right that was granted.

    Attributes:
        capability: The right.
        until: How long it holds.
        session: In which session, for `session`.
        granted_at: When; aware.
        why: What whoever granted it said about it.
        by: Who.
        quota: How large what lies below the path may get, for `fs:write`.
    """

    capability: Capability
    until: Until
    granted_at: datetime
    session: str = ""
    why: str = ""
    by: Grantor = Grantor.PERSON
    quota: Quota | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What an origin said of itself when it was granted something.

    Attributes:
        requested: The rights it requested.
        texts: What people can read, by name: the manifest, the descriptions of tools, digests.
    """

    requested: tuple[Capability, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """All that one origin was granted, and what it was then."""

    origin: Origin
    facts: Facts
    grants: tuple[Grant, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What changed since something was granted.

    Attributes:
        added: Rights that are requested now and were not.
        removed: Rights that were requested and are not any more.
        lines: A unified diff of the texts; words of strangers.
    """

    added: tuple[Capability, ...]
    removed: tuple[Capability, ...]
    lines: tuple[str, ...]


def same(one: Origin, other: Origin) -> bool:
    """Say whether two are the same origin, digest included; where it stands does not count."""
    return (one.kind, one.name, one.sha256) == (other.kind, other.name, other.sha256)


def holding(grants: Iterable[Grant], *, sessions: Collection[str], now: datetime) -> tuple[Grant, ...]:
    """Return the grants that hold now.

    Args:
        grants: Of one origin.
        sessions: The sessions that the caller is in.
        now: Aware.
    """
    return tuple(one for one in grants if one.until is Until.ALWAYS or _in_session(one, sessions, now))


def _in_session(grant: Grant, sessions: Collection[str], now: datetime) -> bool:
    fresh = timedelta(0) <= now - grant.granted_at < SESSION_LASTS
    return grant.until is Until.SESSION and bool(grant.session) and grant.session in sessions and fresh


def rights(grants: Iterable[Grant]) -> frozenset[Capability]:
    """Return the rights of grants."""
    return frozenset(one.capability for one in grants)


def quotas(grants: Iterable[Grant]) -> frozenset[Quota]:
    """Return the bounds of grants; a path that was granted without a bound too has none."""
    found = tuple(grants)
    free = {one.capability for one in found if one.quota is None}
    return frozenset(one.quota for one in found if one.quota is not None and one.capability not in free)


def with_grants(
    entries: Iterable[Granted], origin: Origin, facts: Facts, grants: Iterable[Grant], *, now: datetime
) -> tuple[Granted, ...]:
    """Return the entries with more grants.

    What the same origin was granted with another digest is dropped: that version is gone. Grants of sessions that
    are over are dropped too.
    """
    added = tuple(grants)
    kept: list[Granted] = []
    older: tuple[Grant, ...] = ()
    for entry in entries:
        if same(entry.origin, origin):
            older = entry.grants
        elif not _replaced(entry.origin, origin):
            kept.append(entry)
    replaced = {(one.capability, one.until, one.session) for one in added}
    stays = [one for one in older if (one.capability, one.until, one.session) not in replaced]
    kept.append(Granted(origin=origin, facts=facts, grants=(*stays, *added)))
    return tuple(one for one in (_unexpired(entry, now) for entry in kept) if one.grants)


def _replaced(old: Origin, new: Origin) -> bool:
    return (old.kind, old.name, old.place) == (new.kind, new.name, new.place)


def _unexpired(entry: Granted, now: datetime) -> Granted:
    stays = tuple(one for one in entry.grants if one.until is Until.ALWAYS or now - one.granted_at < SESSION_LASTS)
    return Granted(origin=entry.origin, facts=entry.facts, grants=stays)


def without(
    entries: Iterable[Granted], origin: Origin, revoked: Collection[Capability] | None
) -> tuple[tuple[Granted, ...], tuple[Capability, ...]]:
    """Return the entries without rights of an origin, whatever its digest, and the rights that were taken away.

    Args:
        entries: All.
        origin: Its kind and name count.
        revoked: The rights; None for all.
    """
    kept: list[Granted] = []
    gone: list[Capability] = []
    for entry in entries:
        if (entry.origin.kind, entry.origin.name) != (origin.kind, origin.name):
            kept.append(entry)
            continue
        stays = tuple(one for one in entry.grants if revoked is not None and one.capability not in revoked)
        gone += [one.capability for one in entry.grants if one not in stays]
        if stays:
            kept.append(Granted(origin=entry.origin, facts=entry.facts, grants=stays))
    return tuple(kept), tuple(sorted(set(gone)))


def before(entries: Iterable[Granted], origin: Origin) -> Granted | None:
    """Return what an origin of this kind and name was granted last with another digest, or None.

    One that stood at the same place is preferred.
    """
    found = [one for one in entries if (one.origin.kind, one.origin.name) == (origin.kind, origin.name)]
    others = [one for one in found if one.origin.sha256 != origin.sha256]
    return max(others, key=lambda one: (one.origin.place == origin.place, _last(one)), default=None)


def _last(entry: Granted) -> datetime:
    return max(one.granted_at for one in entry.grants)


def difference(old: Facts, new: Facts) -> Difference:
    """Return what changed between two versions of an origin."""
    lines: list[str] = []
    for name in sorted({*old.texts, *new.texts}):
        one, other = old.texts.get(name, ""), new.texts.get(name, "")
        if one != other:
            lines += difflib.unified_diff(
                one.split("\n"), other.split("\n"), f"{name} before", f"{name} now", lineterm=""
            )
    shown = [*lines[:MOST_LINES], f"… and {len(lines) - MOST_LINES} lines more"] if len(lines) > MOST_LINES else lines
    return Difference(
        added=tuple(one for one in new.requested if one not in old.requested),
        removed=tuple(one for one in old.requested if one not in new.requested),
        lines=tuple(shown),
    )


def facts_of(specs: Sequence[ToolSpec]) -> Facts:
    """Return the facts of an origin whose tools say everything there is to know about it."""
    requested = dict.fromkeys(right for spec in specs for right in spec.capabilities)
    return Facts(requested=tuple(requested), texts={spec.name: _text(spec) for spec in specs})


def _text(spec: ToolSpec) -> str:
    said = {"description": spec.description, "input": spec.input_schema, "output": spec.output_schema}
    return json.dumps(said, ensure_ascii=False, indent=2, sort_keys=True)


def how_to_grant(origin: Origin, lacking: Iterable[Capability]) -> str:
    """Return the command line that grants rights to an origin, as a shell takes it."""
    return " ".join(["ourcli tools grant", shlex.quote(origin.name), *(shlex.quote(str(one)) for one in lacking)])
