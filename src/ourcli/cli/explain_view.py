"""Why hits stand where they stand: their score cards as a small table, and what each feature gave."""

from collections.abc import Sequence

from ourcli.cli.invocation import Invocation
from ourcli.memory.query import Hit, LegScore, ScoreCard, SearchResult

_LEAST_SHARE = 0.0005
_COLUMNS = (
    *("#", "score", "vector", "text", "fused", "weights", "layer", "recency", "rerank"),
    *("like it", "kept", "id"),
)


def show_cards(invocation: Invocation, result: SearchResult) -> None:
    """Draw a row a hit, a line a hit with the shares of its features, and where the time went."""
    rows = [_row(place, hit) for place, hit in enumerate(result.hits, start=1)]
    invocation.output.table(_COLUMNS, rows)
    _show_shares(invocation, result.hits)
    timing = result.timing_ms
    invocation.diagnostics.notice(
        f"embed {timing.embed:.1f} ms, vector {timing.vector:.1f}, text {timing.text:.1f}, "
        f"fuse {timing.fuse:.1f}, rerank {timing.rerank:.1f}, total {timing.total:.1f}"
    )


def _show_shares(invocation: Invocation, hits: Sequence[Hit]) -> None:
    lines = [f"{place}. {shares(hit.card)}" for place, hit in enumerate(hits, start=1) if hit.card.features]
    if lines:
        invocation.output.text("\nwhat `fused` is made of:")
    for line in lines:
        invocation.output.text(line)


def shares(card: ScoreCard) -> str:
    """Return the features that gave something with their shares of `fused`, the largest first."""
    ordered = sorted(card.features.items(), key=lambda one: -abs(one[1]))
    told = [f"{name} {share:+.3f}" for name, share in ordered if abs(share) >= _LEAST_SHARE]
    return ", ".join(told) or "nothing"


def _row(place: int, hit: Hit) -> tuple[str, ...]:
    card = hit.card
    return (
        str(place),
        f"{hit.score:.3f}",
        _leg(card.vector),
        _leg(card.text),
        f"{card.fused:.3f}",
        card.model or "-",
        f"{card.layer_weight:.2f}",
        f"{card.recency:.2f}",
        "-" if card.rerank is None else f"{card.rerank:.3f}",
        f"+{card.duplicates}" if card.duplicates else "-",
        card.kept,
        hit.record.id,
    )


def _leg(score: LegScore) -> str:
    return "-" if score.rank is None else f"{score.score:.3f} ({score.rank}.)"
