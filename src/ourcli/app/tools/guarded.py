"""Rights that nobody can grant: to write what decides about rights."""

from collections.abc import Sequence
from pathlib import Path

from ourcli.common.errors import DeniedError
from ourcli.config.locations import Home
from ourcli.tools.capabilities import Capability, CapabilityKind


def guarded(rights: Sequence[Capability], home: Home) -> Sequence[Capability]:
    """Return `rights` when none of them lets a tool write to ourcli's own folder, links resolved.

    Whoever can write there can grant himself everything.

    Raises:
        DeniedError: One does.
    """
    root = home.root.resolve()
    for right in rights:
        if right.kind is not CapabilityKind.FS_WRITE:
            continue
        path = Path(right.value).resolve()
        if root.is_relative_to(path) or path.is_relative_to(root):
            raise DeniedError(
                f"{str(right)!r} would let the tool change its own grants, which stand in {str(root)!r}",
                hint="grant a folder that neither holds it nor lies inside it",
            )
    return rights
