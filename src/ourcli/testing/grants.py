"""A book of grants in memory, and short words for what stands in one."""

from collections.abc import Sequence
from datetime import UTC, datetime

from ourcli.common.clock import Clock
from ourcli.common.errors import OurcliError
from ourcli.testing.clock import FrozenClock
from ourcli.tools.capabilities import Capability, Quota, parse
from ourcli.tools.grants import Facts, Grant, Granted, Until, with_grants, without
from ourcli.tools.spec import Origin, OriginKind

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def an_origin(name: str = "hello", digest: str = "ab", kind: OriginKind = OriginKind.PLUGIN) -> Origin:
    """Return an origin whose digest is `digest` again and again; "" for none."""
    return Origin(kind=kind, name=name, sha256=digest * 32, place=f"/plugins/{name}")


def a_grant(
    text: str, until: Until = Until.ALWAYS, *, session: str = "", at: datetime = NOON, most_bytes: int | None = None
) -> Grant:
    """Return a grant of the right that `text` names."""
    right = parse(text)
    quota = None if most_bytes is None else Quota(right.value, most_bytes)
    return Grant(capability=right, until=until, session=session, granted_at=at, why="a test", quota=quota)


class NoGrants:
    """Grant nothing to anybody."""

    async def granted(self, origin: Origin, session: str = "") -> frozenset[Capability]:  # noqa: ARG002
        """Return no right."""
        return frozenset()

    async def quotas(self, origin: Origin, session: str = "") -> frozenset[Quota]:  # noqa: ARG002
        """Return no bound."""
        return frozenset()


class FakeGrantBook:
    """Keep grants in memory; set `failure` to make every call raise it.

    Args:
        clock: Time.
    """

    def __init__(self, *, clock: Clock | None = None) -> None:
        self._clock = clock or FrozenClock(NOON)
        self._entries: tuple[Granted, ...] = ()
        self.failure: OurcliError | None = None

    def _begin(self) -> None:
        if self.failure is not None:
            raise self.failure

    async def entries(self) -> tuple[Granted, ...]:
        """Return all of them."""
        self._begin()
        return self._entries

    async def grant(self, origin: Origin, facts: Facts, grants: Sequence[Grant]) -> None:
        """Keep more."""
        self._begin()
        self._entries = with_grants(self._entries, origin, facts, grants, now=self._clock.now())

    async def revoke(self, origin: Origin, revoked: Sequence[Capability] | None = None) -> tuple[Capability, ...]:
        """Drop rights of an origin."""
        self._begin()
        self._entries, gone = without(self._entries, origin, revoked)
        return gone
