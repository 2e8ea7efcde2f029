"""How good a ranking is: recall, nDCG and reciprocal rank, as pure functions.

nDCG after Jarvelin and Kekalainen (2002) with gain 2^grade - 1 and discount log2(rank + 1).
"""

import math
from collections.abc import Mapping, Sequence

RECALL_DEPTHS = (5, 10, 20, 50)


def recall(ranking: Sequence[str], relevant: Mapping[str, int], k: int) -> float:
    """Return the share of the relevant ids among the first k."""
    wanted = {record_id for record_id, grade in relevant.items() if grade > 0}
    return len(wanted & set(ranking[:k])) / len(wanted) if wanted else 0.0


def ndcg(ranking: Sequence[str], relevant: Mapping[str, int], k: int) -> float:
    """Return the normalised discounted cumulative gain of the first k."""
    gains = [2.0 ** relevant.get(record_id, 0) - 1.0 for record_id in ranking[:k]]
    ideal = sorted((2.0**grade - 1.0 for grade in relevant.values()), reverse=True)[:k]
    best = _discounted(ideal)
    return _discounted(gains) / best if best > 0 else 0.0


def _discounted(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))


def reciprocal_rank(ranking: Sequence[str], relevant: Mapping[str, int], k: int) -> float:
    """Return 1 / rank of the first relevant id among the first k, else 0."""
    for rank, record_id in enumerate(ranking[:k], start=1):
        if relevant.get(record_id, 0) > 0:
            return 1.0 / rank
    return 0.0


def session_recall(ranking: Sequence[str], relevant: Mapping[str, int], sessions: Mapping[str, str], k: int) -> float:
    """Return the share of the evidence's sessions among the first k distinct sessions of the ranking."""
    wanted = {sessions[record_id] for record_id, grade in relevant.items() if grade > 0 and record_id in sessions}
    seen = list(dict.fromkeys(sessions[record_id] for record_id in ranking if record_id in sessions))
    return len(wanted & set(seen[:k])) / len(wanted) if wanted else 0.0


def measure(ranking: Sequence[str], relevant: Mapping[str, int], sessions: Mapping[str, str]) -> dict[str, float]:
    """Return all metrics of one ranking, by name; `session_recall@10` only where records have sessions."""
    metrics = {f"recall@{k}": recall(ranking, relevant, k) for k in RECALL_DEPTHS}
    metrics["ndcg@10"] = ndcg(ranking, relevant, 10)
    metrics["mrr@10"] = reciprocal_rank(ranking, relevant, 10)
    if sessions:
        metrics["session_recall@10"] = session_recall(ranking, relevant, sessions, 10)
    return metrics


def mean(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean of each metric over queries."""
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]} if rows else {}


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` (0..1) of the values lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, math.ceil(share * len(ordered)) - 1))] if ordered else 0.0
