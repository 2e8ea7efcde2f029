"""What runs unattended may do: `grants.toml` of the home, which only its owner writes.

    [[grants]]
    kind = "plugin"                 # plugin, mcp or builtin
    name = "wordcount"              # the plugin, the server, or the group of built-in tools
    sha256 = "…64 digits…"          # what `ourcli plugins list --json` shows; not for built-in tools
    capabilities = ["fs:read=/data", "fs:write=/data/out"]
    most_bytes = 10485760           # how large what lies below each of its fs:write paths may get; optional

A plugin or server whose digest is another one gets nothing of it.
"""

import tomllib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ourcli.common.errors import ConfigError, InvalidInputError
from ourcli.tools.backends.watched_file import WatchedFile
from ourcli.tools.capabilities import Capability, CapabilityKind, Quota, parse
from ourcli.tools.grants import Facts, Grant, Granted, Grantor, Until
from ourcli.tools.spec import Origin, OriginKind

MOST_BYTES = 1024 * 1024
_HINT = "docs/guide/grants.md shows what may stand there"


class PolicyEntry(BaseModel):
    """What one origin may do unattended."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: OriginKind
    name: Annotated[str, Field(min_length=1, max_length=200)]
    sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    capabilities: Annotated[tuple[str, ...], Field(min_length=1, max_length=64)]
    most_bytes: Annotated[int, Field(ge=0)] | None = None
    why: Annotated[str, Field(max_length=1000)] = ""

    @model_validator(mode="after")
    def _has_a_digest(self) -> Self:
        if self.kind is OriginKind.BUILTIN and self.sha256:
            raise ValueError("built-in tools have no sha256: leave it out")
        if self.kind is not OriginKind.BUILTIN and not self.sha256:
            raise ValueError("sha256 is missing: `ourcli tools show NAME` prints it")
        return self


class _Policy(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    grants: Annotated[tuple[PolicyEntry, ...], Field(max_length=1000)] = ()


class PolicyFile:
    """Grants of a policy file; nobody writes it but the user.

    Args:
        path: `grants.toml`; need not exist.
        check: Raises when one of the rights is none that can be granted.
    """

    def __init__(self, path: Path, check: Callable[[Sequence[Capability]], object] = tuple) -> None:
        self._path, self._check = path, check
        self._file: WatchedFile[tuple[Granted, ...]] = WatchedFile(path, self._parse, (), most_bytes=MOST_BYTES)

    async def entries(self) -> tuple[Granted, ...]:
        """Return what the policy grants.

        Raises:
            ConfigError: The file is not valid; nothing of it counts.
            DeniedError: It grants what nobody can grant.
            StoreError: It cannot be read, or others can write it.
        """
        return await self._file.current()

    def _parse(self, content: bytes) -> tuple[Granted, ...]:
        try:
            policy = _Policy.model_validate(tomllib.loads(content.decode("utf-8")))
            entries = tuple(_granted(one) for one in policy.grants)
        except ValidationError as exc:
            faults = "; ".join(
                f"{'.'.join(str(step)[:64] for step in one['loc'])}: {one['msg'].removeprefix('Value error, ')}"
                for one in exc.errors(include_input=False)[:8]
            )
            raise ConfigError(f"{str(self._path)!r} is not valid: {faults}", hint=_HINT) from exc
        except InvalidInputError as exc:
            raise ConfigError(f"{str(self._path)!r} is not valid: {exc.message}", hint=exc.hint) from exc
        except (ValueError, RecursionError) as exc:
            raise ConfigError(f"{str(self._path)!r} is not valid TOML: {exc}", hint=_HINT) from exc

        self._check([one.capability for entry in entries for one in entry.grants])
        return entries

    async def aclose(self) -> None:
        """Let the file go."""
        self._file.close()


def _granted(one: PolicyEntry) -> Granted:
    origin = Origin(kind=one.kind, name=one.name, sha256=one.sha256)
    named = tuple(parse(text) for text in one.capabilities)
    allowed = named if one.kind is OriginKind.BUILTIN else (*named, Capability(CapabilityKind.USE))
    return Granted(origin=origin, facts=Facts(), grants=tuple(_grant(right, one) for right in allowed))


def _grant(right: Capability, one: PolicyEntry) -> Grant:
    bounded = one.most_bytes is not None and right.kind is CapabilityKind.FS_WRITE
    return Grant(
        capability=right,
        until=Until.ALWAYS,
        granted_at=datetime.fromtimestamp(0, UTC),
        why=one.why,
        by=Grantor.POLICY,
        quota=Quota(right.value, one.most_bytes) if bounded and one.most_bytes is not None else None,
    )
