"""`ourcli memory get`, `list`, `stats` and `forget`."""

import click

from ourcli.cli.amounts import in_bytes, shortened
from ourcli.cli.answer_view import place_of
from ourcli.cli.invocation import Invocation
from ourcli.cli.options import common_options
from ourcli.cli.ports import Facade
from ourcli.common.errors import UsageError
from ourcli.common.jsondata import iso_milliseconds
from ourcli.memory.layers import LAYERS, Layer
from ourcli.memory.query import Filter
from ourcli.memory.record import Record


@click.command()
@click.argument("record_id", metavar="ID")
@common_options()
@click.pass_obj
def get(invocation: Invocation, *, record_id: str) -> None:
    """Show one record."""
    from ourcli.cli.run import run  # deferred: asyncio

    record = run(invocation, lambda service: service.get(record_id))
    if invocation.json:
        invocation.output.document({"record": record})
        return
    for name, value in _facts(record):
        if value:
            invocation.output.text(f"{name}: {value}")
    invocation.output.text(f"\n{record.text}")


def _facts(record: Record) -> tuple[tuple[str, str], ...]:
    return (
        ("id", record.id),
        ("layer", record.layer.value),
        ("kind", record.kind),
        ("project", record.project),
        ("session", record.session),
        ("speaker", record.speaker),
        ("time", iso_milliseconds(record.ts)),
        ("tags", ", ".join(record.tags)),
        ("source", place_of(record.source)),
        ("made from", ", ".join(record.parents)),
        ("trust", record.trust.value),
    )


@click.command("list")
@click.option("--layer", type=click.Choice([layer.value for layer in Layer]), help="Only this layer.")
@click.option("--tag", "tags", metavar="T", multiple=True, help="Only with this tag; all of them when repeated.")
@click.option("--session", metavar="S", help="Only of this session.")
@click.option("--limit", type=click.IntRange(min=0), default=50, show_default=True, help="Most rows; 0 for all.")
@click.option("--all-projects", is_flag=True, help="List the memory of every project.")
@common_options()
@click.pass_obj
def list_records(
    invocation: Invocation,
    *,
    layer: str | None,
    tags: tuple[str, ...],
    session: str | None,
    limit: int,
    all_projects: bool,
) -> None:
    """List records, newest first."""
    from ourcli.cli.run import run  # deferred: asyncio

    async def work(service: Facade) -> list[Record]:
        where = Filter(
            project=None if all_projects else service.settings.project,
            layers=(Layer(layer),) if layer else tuple(Layer),
            tags=tags,
            session=session,
        )
        return await service.records(where, limit or None)

    records = run(invocation, work)
    if invocation.json:
        invocation.output.document({"records": records})
        return
    invocation.output.table(
        ("id", "layer", "kind", "time", "text"),
        [
            (record.id, record.layer.value, record.kind, iso_milliseconds(record.ts), shortened(record.text))
            for record in records
        ],
    )


@click.command()
@common_options()
@click.pass_obj
def stats(invocation: Invocation) -> None:
    """Show size and health of the layers."""
    from ourcli.cli.run import run  # deferred: asyncio

    layers = run(invocation, lambda service: service.memory_stats())
    if invocation.json:
        keys = ("rows", "unindexed", "fragments", "bytes")
        shown = {layer.value: {key: getattr(size, key) for key in keys} for layer, size in layers.items()}
        invocation.output.document({"layers": shown})
        return
    invocation.output.table(
        ("layer", "keeps", "rows", "unindexed", "fragments", "size"),
        [
            (
                layer.value,
                LAYERS[layer].purpose,
                str(size.rows),
                str(size.unindexed),
                str(size.fragments),
                in_bytes(size.bytes),
            )
            for layer, size in layers.items()
        ],
    )


@click.command()
@click.argument("ids", metavar="ID...", nargs=-1)
@click.option("--session", metavar="S", help="Everything that was said in this session.")
@click.option("--cascade", is_flag=True, help="Also what was made from them: answers, summaries, and so on.")
@common_options()
@click.pass_obj
def forget(invocation: Invocation, *, ids: tuple[str, ...], session: str | None, cascade: bool) -> None:
    """Forget records, by id or a whole session.

    Tables, write journal, ledger, caches and logs let go of them at once; `ourcli memory vacuum` then makes
    their bytes go from every file.
    """
    from ourcli.cli.run import run  # deferred: asyncio

    if bool(ids) == bool(session):
        raise UsageError("say what to forget: ids, or --session", hint="ourcli memory forget ID...")
    forgotten = run(invocation, lambda service: service.forget(ids, session, cascade=cascade))
    if invocation.json:
        invocation.output.document({"forgotten": forgotten})
        return
    for identifier in forgotten:
        invocation.output.text(identifier)
