"""The facade's side of grants: what a tool lacks and why, granting, taking back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from anyio import to_thread

from ourcli.app.tools.guarded import guarded
from ourcli.app.tools.needs import ToolRooms
from ourcli.app.tools.plugin_source import PluginSource
from ourcli.common.errors import InvalidInputError, NotFoundError
from ourcli.tools.backends.terminal_session import terminal_session
from ourcli.tools.backends.tree_size import tree_bytes
from ourcli.tools.capabilities import Capability, CapabilityKind, Quota, missing
from ourcli.tools.grants import Difference, Facts, Grant, Until, before, difference, facts_of
from ourcli.tools.ports import GrantBook
from ourcli.tools.registry import Registry
from ourcli.tools.spec import Origin, OriginKind, ToolSpec
from ourcli.tools.standing import StandingGrants


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a person has to know to grant a tool what it lacks. Names, descriptions and texts are strangers' words.

    Attributes:
        spec: The tool.
        lacking: The rights.
        why_asked: Why a person has to agree before it runs at all, or "".
        since: When an earlier version was granted something, or None.
        changed: What changed since then, or None.
    """

    spec: ToolSpec
    lacking: tuple[Capability, ...]
    why_asked: str = ""
    since: datetime | None = None
    changed: Difference | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How something is granted.

    Attributes:
        until: How long.
        session: The conversation, or "" for this terminal.
        quota_bytes: How much may be added below the granted write paths, or None for no bound.
        why: What the person says about it.
    """

    until: Until = Until.ALWAYS
    session: str = ""
    quota_bytes: int | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedRights:
    """What was granted or taken back, and whose it is."""

    origin: Origin
    rights: tuple[Capability, ...]


class RightsDesk:
    """Grants and revokes, for whatever `NAME` means: a tool, a plugin, a group of built-in tools or a server.

    Args:
        rooms: Home and clock.
        plugins: The source of plugins.
        book: Where grants are written down.
        standing: What holds.
    """

    def __init__(self, rooms: ToolRooms, plugins: PluginSource, book: GrantBook, standing: StandingGrants) -> None:
        self._rooms, self._plugins, self._book, self._standing = rooms, plugins, book, standing

    async def request(self, spec: ToolSpec, more: Sequence[Capability], session: str, registry: Registry) -> Request:
        """Return what a tool lacks of what it requests and of `more`, with all there is to know about it."""
        origin = spec.origin
        held = await self._standing.granted(origin, session)
        last = before(await self._book.entries(), origin)
        asked = (await self._plugins.discovered()).asked.get(origin.name, "")
        return Request(
            spec=spec,
            lacking=missing(tuple(dict.fromkeys((*spec.capabilities, *more))), held),
            why_asked=asked if origin.kind is OriginKind.PLUGIN else "",
            since=max((one.granted_at for one in last.grants), default=None) if last else None,
            changed=difference(last.facts, await self._facts(origin, registry)) if last else None,
        )

    async def grant(self, name: str, rights: Sequence[Capability], terms: Terms, registry: Registry) -> ChangedRights:
        """Write down rights.

        Raises:
            NotFoundError: Nothing is called so.
            InvalidInputError: Two things are, no terminal's session is here, or a bound has nothing to bound.
            DeniedError: The right would let a tool into ourcli's own folder.
            StoreError: The grants are damaged or cannot be written.
        """
        origin = self._origin(name, registry)
        writes = any(right.kind is CapabilityKind.FS_WRITE for right in rights)
        if terms.quota_bytes is not None and not writes:
            raise InvalidInputError("a quota bounds fs:write=PATH, and none is granted", hint="leave --quota out")
        session = self._session(terms)
        now = self._rooms.clock.now()
        grants = [
            Grant(
                capability=right,
                until=terms.until,
                session=session,
                granted_at=now,
                why=terms.why,
                quota=await self._quota(right, terms.quota_bytes),
            )
            for right in guarded(rights, self._rooms.home, kept_out=origin.kind is OriginKind.BUILTIN)
        ]
        await self._book.grant(origin, await self._facts(origin, registry), grants)
        return ChangedRights(origin=origin, rights=tuple(rights))

    async def revoke(self, name: str, rights: Sequence[Capability] | None, registry: Registry) -> ChangedRights:
        """Take back rights, None for all, of every version that ever had them.

        Raises:
            NotFoundError: Nothing is called so, and nothing of that name was granted anything.
            StoreError: The grants are damaged or cannot be written.
        """
        kept = {str(entry.origin): entry.origin for entry in await self._book.entries()}
        known = [origin for text, origin in kept.items() if name in (origin.name, text)]
        origin = known[0] if len(known) == 1 else self._origin(name, registry)
        return ChangedRights(origin=origin, rights=await self._book.revoke(origin, rights))

    async def forget(self, plugin: str) -> tuple[Capability, ...]:
        """Take back all that a plugin was granted."""
        return await self._book.revoke(Origin(kind=OriginKind.PLUGIN, name=plugin))

    def _session(self, terms: Terms) -> str:
        if terms.until is not Until.SESSION:
            return ""
        session = terms.session or terminal_session()
        if not session:
            raise InvalidInputError("there is no session here", hint="name a conversation with --session")
        return session

    async def _quota(self, right: Capability, quota_bytes: int | None) -> Quota | None:
        if quota_bytes is None or right.kind is not CapabilityKind.FS_WRITE:
            return None
        path = Path(right.value)
        there = await to_thread.run_sync(tree_bytes, path)
        return Quota(right.value, there + quota_bytes)

    async def _facts(self, origin: Origin, registry: Registry) -> Facts:
        own = await self._plugins.facts(origin)
        return own or facts_of([tool.spec() for tool in registry if tool.spec().origin == origin])

    def _origin(self, name: str, registry: Registry) -> Origin:
        specs = [tool.spec() for tool in registry]
        for spec in specs:
            if spec.name == name:
                return spec.origin
        found = {str(spec.origin): spec.origin for spec in specs if name in (spec.origin.name, str(spec.origin))}
        if len(found) > 1:
            raise InvalidInputError(f"{name!r} can mean {' or '.join(sorted(found))}", hint="write one of these")
        for origin in found.values():
            return origin
        raise NotFoundError(
            f"no tool, plugin or server {name[:120]!r}", hint="`ourcli tools list` shows tools with their origins"
        )
