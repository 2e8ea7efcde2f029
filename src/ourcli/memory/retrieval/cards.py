"""From a ranking to hits with their score cards: pure."""

from ourcli.memory.query import Hit, LegScore, ScoreCard
from ourcli.memory.record import Record
from ourcli.memory.retrieval.pool import Places, Pool, Ranking, Scores


def to_hit(pool: Pool, ranking: Ranking, place: int, record: Record) -> Hit:
    """Return the candidate at `place` of the pool as a hit."""
    card = ScoreCard(
        vector=_leg(pool.vector_rank, pool.cosine, place),
        text=_leg(pool.text_rank, pool.bm25, place),
        fused=float(ranking.fused[place]),
        layer_weight=float(ranking.layer_weight[place]),
        recency=float(ranking.recency[place]),
        rerank=None,
        kept="",
        features={name: float(ranking.shares[place, at]) for at, name in enumerate(ranking.features)},
        model=ranking.model[place],
        duplicates=int(ranking.duplicates[place]),
    )
    return Hit(record=record, score=float(ranking.score[place]), card=card)


def _leg(ranks: Places, scores: Scores, place: int) -> LegScore:
    rank = int(ranks[place])
    return LegScore(rank=rank or None, score=float(scores[place]))
