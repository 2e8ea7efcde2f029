"""`ourcli memory search`."""

from datetime import datetime

import click

from ourcli.cli.amounts import shortened
from ourcli.cli.answer_view import place_of
from ourcli.cli.explain_view import show_cards
from ourcli.cli.invocation import Invocation
from ourcli.cli.options import common_options
from ourcli.cli.parameters import LayersType, MomentType
from ourcli.cli.ports import Facade
from ourcli.cli.sanitize import well_formed
from ourcli.common.errors import UsageError
from ourcli.memory.layers import Layer
from ourcli.memory.query import Filter, Hit, Query, SearchResult
from ourcli.memory.record import Trust


@click.command()
@click.argument("query", nargs=-1)
@click.option("--layers", metavar="A,B", type=LayersType(), default=tuple(Layer), help="Only these layers.")
@click.option("--top-k", type=click.IntRange(min=1), default=10, show_default=True, help="Hits to show.")
@click.option("--candidates", type=click.IntRange(1, 10_000), default=200, show_default=True, help="Per leg.")
@click.option("--rerank", type=click.IntRange(0, 1_000), default=32, show_default=True, help="How many; 0 for none.")
@click.option("--tag", "tags", metavar="T", multiple=True, help="Only with this tag; all of them when repeated.")
@click.option("--kind", metavar="K", help="Only of this kind.")
@click.option("--session", metavar="S", help="Only of this session.")
@click.option("--since", metavar="D", type=MomentType(), help="Not older: ISO date or time (UTC), or 2d, 12h.")
@click.option("--until", metavar="D", type=MomentType(end_of_day=True), help="Not younger; a date means its end.")
@click.option("--trust", type=click.Choice([trust.value for trust in Trust]), help="Only texts that come from there.")
@click.option("--all-projects", is_flag=True, help="Search the memory of every project.")
@click.option("--explain", is_flag=True, help="Show why each hit stands where it stands.")
@common_options()
@click.pass_obj
def search(  # noqa: PLR0913  # click hands every option over by name
    invocation: Invocation,
    *,
    query: tuple[str, ...],
    layers: tuple[Layer, ...],
    top_k: int,
    candidates: int,
    rerank: int,
    tags: tuple[str, ...],
    kind: str | None,
    session: str | None,
    since: datetime | None,
    until: datetime | None,
    trust: str | None,
    all_projects: bool,
    explain: bool,
) -> None:
    """Search by meaning and by words.

    Every hit carries a score card. --explain shows it: place and score in each leg, what every feature gave to
    the fused score, whose weights were used (talk, prose, code, equal), the layer's weight, recency, the
    reranker's score, how many records were left out because they say nearly the same, and why the hit was kept.
    """
    from ourcli.cli.run import run  # deferred: asyncio

    words = well_formed(" ".join(query)).strip()
    if not words:
        raise UsageError("the query is empty", hint='search for something: ourcli memory search "cache"')

    async def work(service: Facade) -> SearchResult:
        where = Filter(
            project=None if all_projects else service.settings.project,
            layers=layers,
            tags=tags,
            kind=kind,
            session=session,
            since=since,
            until=until,
            trust=Trust(trust) if trust else None,
        )
        return await service.search(Query(text=words, filter=where, candidates=candidates, rerank=rerank, limit=top_k))

    _show(invocation, run(invocation, work), explain=explain)


def _show(invocation: Invocation, result: SearchResult, *, explain: bool) -> None:
    output = invocation.output
    if invocation.json:
        output.document({"hits": [hit_data(hit) for hit in result.hits], "timing_ms": result.timing_ms})
        return
    if not result.hits:
        invocation.diagnostics.notice("nothing found")
        return
    if explain:
        show_cards(invocation, result)
        return
    output.table(("#", "score", "layer", "text", "place", "id"), [_row(n, hit) for n, hit in enumerate(result.hits, 1)])


def hit_data(hit: Hit) -> dict[str, object]:
    """Return a hit with the keys of CLI.md."""
    record = hit.record
    names = ("id", "text", "layer", "kind", "project", "session", "ts", "tags", "source")
    return {name: getattr(record, name) for name in names} | {"score": hit.score, "card": hit.card}


def _row(place: int, hit: Hit) -> tuple[str, ...]:
    record = hit.record
    return (
        str(place),
        f"{hit.score:.3f}",
        record.layer.value,
        shortened(record.text),
        place_of(record.source),
        record.id,
    )
