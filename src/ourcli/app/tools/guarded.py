"""Rights that nobody can grant: to write what decides about rights, and to read what ourcli keeps for itself."""

from collections.abc import Sequence
from pathlib import Path

from ourcli.common.errors import DeniedError
from ourcli.config.locations import Home
from ourcli.tools.capabilities import Capability, CapabilityKind


def guarded(rights: Sequence[Capability], home: Home, *, kept_out: bool = True) -> Sequence[Capability]:
    """Return `rights` when none of them lets a tool into ourcli's own folder, links resolved.

    Whoever can write there can grant himself everything; whoever can read there finds logins and all memory.

    Args:
        rights: To be granted.
        home: The folder.
        kept_out: Whoever gets them cannot come in through a folder that holds it, as built-in tools are kept out.

    Raises:
        DeniedError: One does.
    """
    root = home.root.resolve()
    for right in rights:
        if right.kind not in (CapabilityKind.FS_READ, CapabilityKind.FS_WRITE):
            continue
        path, writes = Path(right.value).resolve(), right.kind is CapabilityKind.FS_WRITE
        if path.is_relative_to(root) or (root.is_relative_to(path) and (writes or not kept_out)):
            doing = "change its own grants, which stand" if writes else "read the logins and the memory that stand"
            raise DeniedError(
                f"{str(right)!r} would let the tool {doing} in {str(root)!r}",
                hint="grant a folder that neither holds it nor lies inside it",
            )
    return rights
