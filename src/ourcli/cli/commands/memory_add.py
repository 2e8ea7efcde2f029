"""`ourcli memory add`."""

from collections.abc import Sequence
from datetime import datetime

import click

from ourcli.app.requests import NewRecord
from ourcli.cli.invocation import Invocation
from ourcli.cli.jsondata import iso
from ourcli.cli.options import common_options
from ourcli.cli.parameters import MomentType
from ourcli.cli.piped import piped_text
from ourcli.cli.ports import Facade
from ourcli.cli.sanitize import well_formed
from ourcli.common.errors import UsageError
from ourcli.memory.layers import Layer


@click.command()
@click.argument("text", nargs=-1)
@click.option("--jsonl", metavar="FILE", help="Store a JSON object a line from FILE, or from stdin with -.")
@click.option(
    "--layer",
    type=click.Choice([layer.value for layer in Layer]),
    default=Layer.INSIGHTS.value,
    show_default=True,
    help="Where to.",
)
@click.option("--kind", metavar="K", default="note", show_default=True, help="What it is.")
@click.option("--tag", "tags", metavar="T", multiple=True, help="A tag; can be repeated.")
@click.option("--session", metavar="S", default="", help="The conversation it belongs to.")
@click.option("--ts", metavar="ISO", type=MomentType(), help="When it was said; default now.")
@common_options()
@click.pass_obj
def add(
    invocation: Invocation,
    *,
    text: tuple[str, ...],
    jsonl: str | None,
    layer: str,
    kind: str,
    tags: tuple[str, ...],
    session: str,
    ts: datetime | None,
) -> None:
    """Store a text, or many as JSON lines.

    TEXT may be - for stdin. With --jsonl each line carries `text` and optionally id, layer, kind, tags,
    project, session, speaker, turn, ts, source and embedding; lines are stored in batches, and an id that
    is printed is stored for good.
    """
    from ourcli.cli.run import run  # deferred: asyncio

    if jsonl is not None:
        if text:
            raise UsageError("give TEXT or --jsonl, not both", hint="ourcli memory add --jsonl FILE")
        run(invocation, lambda service: _add_lines(invocation, service, jsonl))
        return
    record = NewRecord(
        text=_words(invocation, text),
        layer=Layer(layer),
        kind=kind,
        tags=tuple(dict.fromkeys(tags)),
        project=invocation.project,
        session=session,
        ts=iso(ts) if ts else None,
    )
    ids = run(invocation, lambda service: service.add([record]))
    _tell(invocation, ids)


def _words(invocation: Invocation, text: tuple[str, ...]) -> str:
    words = piped_text(invocation) if text == ("-",) else well_formed(" ".join(text))
    if not words.strip():
        raise UsageError("there is nothing to remember", hint='give a text: ourcli memory add "we decided ..."')
    return words.strip()


async def _add_lines(invocation: Invocation, service: Facade, name: str) -> None:
    from ourcli.cli.bulk import add_all, open_lines  # deferred: pydantic, which one text does not need
    from ourcli.cli.jsonl import RecordLine, read_records

    ids: list[str] = []

    def acknowledge(batch: Sequence[str]) -> None:
        ids.extend(batch)
        if not (invocation.json or invocation.output.terminal):
            _tell(invocation, batch)

    with open_lines(invocation, name) as lines:
        stored = await add_all(invocation, service, read_records(lines, RecordLine), acknowledge)
    if invocation.json:
        _tell(invocation, ids)
    elif invocation.output.terminal:
        invocation.output.text(f"{stored} records stored")


def _tell(invocation: Invocation, ids: Sequence[str]) -> None:
    if invocation.json:
        invocation.output.document({"ids": ids})
        return
    for identifier in ids:
        invocation.output.text(identifier)
