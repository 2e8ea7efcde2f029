"""How grants are written in a file: JSON with a version, read strictly."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from ourcli.common.errors import InvalidInputError, StoreError
from ourcli.tools.capabilities import Quota, parse
from ourcli.tools.grants import Facts, Grant, Granted, Grantor, Until
from ourcli.tools.spec import Origin, OriginKind

MOST_BYTES = 32 * 1024 * 1024


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _GrantOf(_Strict):
    capability: str
    until: Literal["session", "always"]
    granted_at: AwareDatetime
    session: str = ""
    why: str = ""
    by: Grantor = Grantor.PERSON
    most_bytes: Annotated[int, Field(ge=0)] | None = None


class _EntryOf(_Strict):
    kind: OriginKind
    name: str
    sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]
    place: str = ""
    requested: tuple[str, ...] = ()
    texts: dict[str, str] = {}
    grants: tuple[_GrantOf, ...]


class _FileOf(_Strict):
    version: Literal[1] = 1
    origins: tuple[_EntryOf, ...] = ()


def read_grants(content: bytes, path: Path) -> tuple[Granted, ...]:
    """Return what the file's bytes say.

    Raises:
        StoreError: They are damaged; nothing of them counts.
    """
    try:
        return tuple(_entry(one) for one in _FileOf.model_validate_json(content).origins)
    except (ValidationError, InvalidInputError) as exc:
        raise StoreError(
            f"the grants in {str(path)!r} are damaged; nothing is granted",
            hint="move the file away, and grant again what your tools need",
        ) from exc


def write_grants(entries: tuple[Granted, ...]) -> bytes:
    """Return the bytes of a file that says this."""
    return _FileOf(origins=tuple(_entry_of(one) for one in entries)).model_dump_json(indent=1).encode() + b"\n"


def _entry(one: _EntryOf) -> Granted:
    return Granted(
        origin=Origin(kind=one.kind, name=one.name, sha256=one.sha256, place=one.place),
        facts=Facts(requested=tuple(parse(text) for text in one.requested), texts=one.texts),
        grants=tuple(_grant(given) for given in one.grants),
    )


def _grant(one: _GrantOf) -> Grant:
    right = parse(one.capability)
    return Grant(
        capability=right,
        until=Until(one.until),
        session=one.session,
        granted_at=one.granted_at,
        why=one.why,
        by=one.by,
        quota=None if one.most_bytes is None else Quota(right.value, one.most_bytes),
    )


def _entry_of(one: Granted) -> _EntryOf:
    return _EntryOf(
        kind=one.origin.kind,
        name=one.origin.name,
        sha256=one.origin.sha256,
        place=one.origin.place,
        requested=tuple(str(right) for right in one.facts.requested),
        texts=dict(one.facts.texts),
        grants=tuple(_grant_of(grant) for grant in one.grants if grant.until is not Until.ONCE),
    )


def _grant_of(one: Grant) -> _GrantOf:
    return _GrantOf(
        capability=str(one.capability),
        until="always" if one.until is Until.ALWAYS else "session",
        granted_at=_aware(one.granted_at),
        session=one.session,
        why=one.why,
        by=one.by,
        most_bytes=one.quota.most_bytes if one.quota else None,
    )


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a grant's time must be aware")
    return moment
