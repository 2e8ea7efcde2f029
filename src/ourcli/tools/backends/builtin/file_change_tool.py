"""Tools that change one file: with a preview, within a quota, and so that it can be taken back."""

import difflib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from anyio import to_thread

from ourcli.common.errors import DeniedError
from ourcli.tools.backends.builtin.changing import Author, Changed, FileChanger, snapshot
from ourcli.tools.backends.builtin.file_tool import check_system
from ourcli.tools.backends.builtin.given import flag, text
from ourcli.tools.backends.builtin.reach import Place, Reach
from ourcli.tools.backends.builtin.text import decoded
from ourcli.tools.backends.tree_size import tree_bytes
from ourcli.tools.capabilities import Capability, CapabilityKind
from ourcli.tools.data import JsonObject
from ourcli.tools.ports import ToolContext
from ourcli.tools.spec import ToolSpec

MOST_DIFF_LINES: Final = 400
_MOST_COMPARED: Final = 20_000
"""Lines of both versions together; comparing more takes too long for a question."""

Rewrite = Callable[[JsonObject, str, bytes | None], bytes]
"""What makes the new content: of the input, the file's path, and what it holds now."""


class FileChangeTool:
    """A tool that gives a file a new content.

    Args:
        spec: What it is.
        rewrite: Makes the new content, or raises.
        changer: Changes files.
        off_limits: Folders that no right opens.
    """

    def __init__(self, spec: ToolSpec, rewrite: Rewrite, changer: FileChanger, off_limits: Sequence[Path] = ()) -> None:
        self._spec, self._rewrite, self._changer, self._off_limits = spec, rewrite, changer, tuple(off_limits)

    def spec(self) -> ToolSpec:
        """Return what it is."""
        return self._spec

    async def invoke(self, input: JsonObject, context: ToolContext) -> JsonObject:  # noqa: A002
        """Change the file; see `ourcli.tools.ports.Tool`. It is not cut off in the middle."""
        check_system(self._spec.name)
        return await to_thread.run_sync(partial(self._change, input, context))

    async def preview(self, input: JsonObject, context: ToolContext) -> str:  # noqa: A002
        """Return the change as a unified diff; see `ourcli.tools.ports.Previews`."""
        check_system(self._spec.name)
        return await to_thread.run_sync(partial(self._compare, input, context))

    def _change(self, given: JsonObject, context: ToolContext) -> JsonObject:
        reach = Reach(self._spec.name, context, self._off_limits)
        author = Author(tool=self._spec.name, run_id=context.run_id or "")
        with reach.placing(text(given, "path"), make_folders=flag(given, "make_folders")) as place:

            def rewritten(old: bytes | None) -> bytes:
                new = self._rewrite(given, place.path, old)
                _check_quota(place, context, len(new) - len(old or b""))
                return new

            changed = self._changer.change(place, rewritten, author)
            return _told(place, changed)

    def _compare(self, given: JsonObject, context: ToolContext) -> str:
        reach = Reach(self._spec.name, context, self._off_limits)
        with reach.placing(text(given, "path"), make_folders=False) as place:
            now = snapshot(place)
            old = now.data if now else None
            new = self._rewrite(given, place.path, old)
            _check_quota(place, context, len(new) - len(old or b""))
            return difference(place.path, old, new)


def _told(place: Place, changed: Changed) -> JsonObject:
    return {
        "path": place.path,
        "created": changed.before is None,
        "changed": changed.id is not None,
        "size_bytes": changed.size_bytes,
        "sha256": changed.after,
        "undo_id": changed.id,
    }


def _check_quota(place: Place, context: ToolContext, growth: int) -> None:
    """Return when what is written stays within every bound on a path above it.

    Raises:
        DeniedError: It would not; nothing was written.
    """
    wanted = [Capability(CapabilityKind.FS_WRITE, path) for path in {place.path, place.asked}]
    for quota in context.quotas:
        right = Capability(CapabilityKind.FS_WRITE, quota.path)
        if growth > 0 and any(right.covers(one) for one in wanted):
            size = tree_bytes(Path(quota.path)) + growth
            if size > quota.most_bytes:
                raise DeniedError(
                    f"{quota.path!r} would hold {size} bytes, and the grant allows {quota.most_bytes}",
                    hint="nothing was written; grant more, or remove files",
                )


def difference(path: str, old: bytes | None, new: bytes) -> str:
    """Return what changes as a unified diff, cut when it is long; "" when nothing does."""
    if old == new:
        return ""
    before, after = decoded(old or b""), decoded(new)
    if before is None or after is None:
        return f"{path}: {len(old or b'')} bytes that are not text become {len(new)} bytes\n"
    first, second = before.text.splitlines(keepends=True), after.text.splitlines(keepends=True)
    if len(first) + len(second) > _MOST_COMPARED:
        return f"{path}: {len(first)} lines become {len(second)} lines\n"
    name = "/dev/null" if old is None else path
    lines = [
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in difflib.unified_diff(first, second, name, path)
    ]
    if len(lines) > MOST_DIFF_LINES:
        lines = [*lines[:MOST_DIFF_LINES], f"… {len(lines) - MOST_DIFF_LINES} more lines\n"]
    return "".join(lines) or f"{path}: only its encoding or byte order mark changes\n"
