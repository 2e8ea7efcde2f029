"""Which rights hold now: the grants of persons and of the policy, looked up at every call."""

from collections.abc import Callable, Sequence

from ourcli.common.clock import Clock
from ourcli.tools.capabilities import Capability, Quota
from ourcli.tools.grants import Grant, Granted, Until, holding, quotas, rights
from ourcli.tools.ports import Grants, ReadsGrants
from ourcli.tools.spec import Origin

_Key = tuple[str, str, str]


def _no_terminal() -> str:
    return ""


class StandingGrants:
    """Answer from books, which are asked at every call: what another process revokes is gone for the next one.

    Args:
        books: Where grants are kept; a book that is damaged raises, and nothing is granted.
        clock: Time.
        terminal: Returns the session that stands for this terminal; asked only where grants of sessions exist.
    """

    def __init__(
        self, books: Sequence[ReadsGrants], *, clock: Clock, terminal: Callable[[], str] = _no_terminal
    ) -> None:
        self._books, self._clock, self._terminal = tuple(books), clock, terminal
        self._seen: list[tuple[Granted, ...]] = [()] * len(self._books)
        self._stale = False
        self._found: dict[_Key, tuple[Grant, ...]] = {}
        self._lasting: dict[_Key, frozenset[Capability]] = {}

    async def granted(self, origin: Origin, session: str = "") -> frozenset[Capability]:
        """Return the rights that hold now for exactly this origin in this session.

        Raises:
            StoreError: The book of grants is damaged.
            ConfigError: The policy is not valid.
        """
        await self._refresh()
        key = _key(origin)
        lasting = self._lasting.get(key)
        return rights(self._holding(key, session)) if lasting is None else lasting

    async def quotas(self, origin: Origin, session: str = "") -> frozenset[Quota]:
        """Return the bounds that were set on the write paths among those rights."""
        await self._refresh()
        return quotas(self._holding(_key(origin), session))

    def _holding(self, key: _Key, session: str) -> tuple[Grant, ...]:
        grants = self._found.get(key, ())
        if all(one.until is Until.ALWAYS for one in grants):
            return grants
        sessions = {session, self._terminal()} - {""}
        return holding(grants, sessions=sessions, now=self._clock.now())

    async def _refresh(self) -> None:
        for place, book in enumerate(self._books):
            entries = await book.entries()
            if entries is not self._seen[place]:
                self._seen[place], self._stale = entries, True
        if self._stale:
            self._index()
            self._stale = False

    def _index(self) -> None:
        found: dict[_Key, tuple[Grant, ...]] = {}
        for entry in (entry for entries in self._seen for entry in entries):
            found[_key(entry.origin)] = (*found.get(_key(entry.origin), ()), *entry.grants)
        self._found = found
        self._lasting = {
            key: rights(grants) for key, grants in found.items() if all(one.until is Until.ALWAYS for one in grants)
        }


class OnceGrants:
    """Grant an origin more for one call, besides what holds anyway.

    Args:
        standing: What holds anyway.
        origin: Who gets more.
        more: What.
    """

    def __init__(self, standing: Grants, origin: Origin, more: frozenset[Capability]) -> None:
        self._standing, self._origin, self._more = standing, origin, more

    async def granted(self, origin: Origin, session: str = "") -> frozenset[Capability]:
        """Return the rights that hold for this call."""
        found = await self._standing.granted(origin, session)
        return found | self._more if _key(origin) == _key(self._origin) else found

    async def quotas(self, origin: Origin, session: str = "") -> frozenset[Quota]:
        """Return the bounds on write paths."""
        return await self._standing.quotas(origin, session)


def _key(origin: Origin) -> _Key:
    return (origin.kind, origin.name, origin.sha256)
