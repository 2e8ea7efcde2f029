"""`ourcli memory add`."""

from dataclasses import replace
from datetime import datetime

import click

from ourcli.app.requests import NewRecord
from ourcli.cli.invocation import Invocation
from ourcli.cli.options import allow_secrets_option, common_options
from ourcli.cli.parameters import MomentType
from ourcli.cli.piped import piped_text
from ourcli.cli.ports import Facade
from ourcli.cli.sanitize import well_formed
from ourcli.common.errors import UsageError
from ourcli.common.jsondata import iso
from ourcli.memory.layers import Layer
from ourcli.memory.stored import Stored


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
@allow_secrets_option
@common_options()
@click.pass_obj
def add(  # noqa: PLR0913  # click hands every option over by name
    invocation: Invocation,
    *,
    text: tuple[str, ...],
    jsonl: str | None,
    layer: str,
    kind: str,
    tags: tuple[str, ...],
    session: str,
    ts: datetime | None,
    allow_secrets: bool,
) -> None:
    """Store a text, or many as JSON lines.

    TEXT may be - for stdin. Keys, tokens and passwords are replaced before anything is stored. With --jsonl
    each line carries `text` and optionally id, layer, kind, tags, project, session, speaker, turn, ts, source
    and embedding; lines are stored in batches, and an id that is printed is stored for good.
    """
    from ourcli.cli.run import run  # deferred: asyncio

    if jsonl is not None:
        if text:
            raise UsageError("give TEXT or --jsonl, not both", hint="ourcli memory add --jsonl FILE")
        run(invocation, lambda service: _add_lines(invocation, service, jsonl, allow_secrets=allow_secrets))
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
    stored = run(invocation, lambda service: service.add([record], allow_secrets=allow_secrets))
    _tell(invocation, stored)


def _words(invocation: Invocation, text: tuple[str, ...]) -> str:
    words = piped_text(invocation) if text == ("-",) else well_formed(" ".join(text))
    if not words.strip():
        raise UsageError("there is nothing to remember", hint='give a text: ourcli memory add "we decided ..."')
    return words.strip()


async def _add_lines(invocation: Invocation, service: Facade, name: str, *, allow_secrets: bool) -> None:
    from ourcli.cli.bulk import add_all, open_lines  # deferred: pydantic, which one text does not need
    from ourcli.cli.jsonl import RecordLine, read_records

    batches: list[Stored] = []

    def acknowledge(batch: Stored) -> None:
        batches.append(batch)
        if not (invocation.json or invocation.output.terminal):
            _tell(invocation, Stored(ids=batch.ids))

    with open_lines(invocation, name) as lines:
        records = read_records(lines, RecordLine)
        stored = await add_all(invocation, service, records, acknowledge, allow_secrets=allow_secrets)
    everything = Stored(
        ids=tuple(one for batch in batches for one in batch.ids),
        redacted=tuple(one for batch in batches for one in batch.redacted),
        contradicts=tuple(one for batch in batches for one in batch.contradicts),
    )
    if invocation.json:
        _tell(invocation, everything)
        return
    if invocation.output.terminal:
        invocation.output.text(f"{stored} records stored")
    _tell(invocation, replace(everything, ids=()))


def _tell(invocation: Invocation, stored: Stored) -> None:
    for line in stored.notices:
        invocation.diagnostics.notice(line)
    if invocation.json:
        contradicts = [
            {"id": one.id, "with": one.record_id, "text": one.text, "why": one.why} for one in stored.contradicts
        ]
        invocation.output.document({"ids": stored.ids, "redacted": stored.redacted, "contradicts": contradicts})
        return
    for identifier in stored.ids:
        invocation.output.text(identifier)
