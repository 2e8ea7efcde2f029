"""`ourcli undo`: take back a file change that a tool made."""

from typing import TYPE_CHECKING

import click

from ourcli.cli.invocation import Invocation
from ourcli.cli.options import common_options
from ourcli.common.errors import UsageError

if TYPE_CHECKING:
    from ourcli.tools.undo import FileChange

_LIST = "list"


@click.command()
@click.argument("change", metavar="[list|ID]", required=False)
@click.option("--force", is_flag=True, help="Also when the file changed since; that can be taken back again.")
@common_options()
@click.pass_obj
def undo(invocation: Invocation, *, change: str | None, force: bool) -> None:
    """Take back the last change that a tool made to a file, or the one called ID; `list` shows them.

    A file that changed since is left alone unless forced. Contents are kept for 30 days, 256 MiB of them at most.
    """
    if change == _LIST:
        _show(invocation)
        return
    from ourcli.cli.run import run  # deferred: asyncio

    number = _number(change)
    done = run(invocation, lambda service: service.tools.history.undo(number, force=force))
    if invocation.json:
        invocation.output.document({"undone": [{"path": done.path, "sha256": done.sha256}]})
    elif done.sha256 is None:
        invocation.output.text(f"{done.path} is gone again")
    else:
        invocation.output.text(f"{done.path} is as it was")


def _show(invocation: Invocation) -> None:
    from ourcli.cli.run import run  # deferred: asyncio

    changes = run(invocation, lambda service: service.tools.history.changes())
    if invocation.json:
        invocation.output.document({"changes": [_data(change) for change in changes]})
        return
    rows = [
        (str(change.id), f"{change.at:%Y-%m-%d %H:%M}", change.tool, _what(change), change.path) for change in changes
    ]
    invocation.output.table(("id", "when (UTC)", "by", "what", "file"), rows)


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise UsageError(f"{text!r} is no change", hint="`ourcli undo list` shows their ids")
    return int(text)


def _what(change: "FileChange") -> str:
    if change.undoes is not None:
        return f"took back {change.undoes}"
    done = "made" if change.before is None else "removed" if change.after is None else "changed"
    return f"{done}, taken back" if change.undone else done


def _data(change: "FileChange") -> dict[str, object]:
    return {
        "id": change.id,
        "path": change.path,
        "before": change.before,
        "after": change.after,
        "at": change.at,
        "tool": change.tool,
        "run_id": change.run_id,
        "undoes": change.undoes,
        "undone": change.undone,
    }
