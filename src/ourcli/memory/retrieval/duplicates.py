"""Near-duplicates in a ranking: the best one stays, the rest is counted; pure."""

import numpy as np
from numpy.typing import NDArray

from ourcli.memory.retrieval.pool import Pool

SAME_TEXT = 0.9998
"""From this cosine on two texts count as the same: letter case, spaces and the like apart. Not lower: texts that differ
in one number reach .9935 ("on 4 May", "on 5 May") and, where the number is long, .9994; they are different facts."""
_LENGTHS = 0.95
_AMONG = 128
"""Only so many of the best are compared; nobody sees what lies below twice."""


def without_duplicates(pool: Pool, order: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the order without what repeats a better one, and for each candidate how many it stands for, [n].

    One repeats another when the vectors say that the texts are the same, and kind and speaker are the same, too.
    """
    stands_for = np.zeros(len(pool.ids), dtype=np.int64)
    head = order[:_AMONG]
    alike = np.triu(pool.vectors[head] @ pool.vectors[head].T >= SAME_TEXT, 1)
    gone: set[int] = set()
    for better, worse in np.argwhere(alike):
        first, second = int(head[better]), int(head[worse])
        if first not in gone and second not in gone and _same(pool, first, second):
            gone.add(second)
            stands_for[first] += 1
    return order[~np.isin(order, list(gone))] if gone else order, stands_for


def _same(pool: Pool, one: int, other: int) -> bool:
    shorter, longer = sorted((int(pool.chars[one]), int(pool.chars[other])))
    same_source = pool.kinds[one] == pool.kinds[other] and pool.speakers[one] == pool.speakers[other]
    return same_source and shorter >= _LENGTHS * longer
