"""Learn the weights of the fusion from judged data, and say how well they hold on data they have not seen.

    python -m tools.learn_fusion FOLDER... [--write FILE] [--pull 0.3]

Each FOLDER is a data set: `corpus.jsonl` and `queries.jsonl` as `ourcli bench retrieval` takes them. It is stored in a
memory of its own with this installation's embedding model; every question's pool becomes a matrix of features. The
weights of a kind maximise the likelihood of the relevant texts under a softmax over each pool (conditional logistic
regression, graded by 2^grade - 1), pulled towards equal weights of vector and words; Newton's method with halved steps.

Printed are: every set under weights learned without the asked conversation (or without a fifth of the questions where
there is one scope), beside both legs and the weights for an unknown kind; then every set under what the other sets
teach: those of its kind, all others pooled, and the weights of each wrong kind.
"""

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ourcli.app.bench.judged import Judged, QuestionLine, read, record_id, to_record
from ourcli.app.memory.stores import open_store
from ourcli.common.clock import SystemClock
from ourcli.common.events import NullSink
from ourcli.memory.evaluation import mean, measure
from ourcli.memory.ports import Embedder
from ourcli.memory.query import Filter
from ourcli.memory.retrieval.features import FEATURES, features
from ourcli.memory.retrieval.fusion import rank
from ourcli.memory.retrieval.gather import gather
from ourcli.memory.retrieval.kinds import Weights, weights_for
from ourcli.memory.retrieval.pool import Pool
from ourcli.memory.retrieval.weights import WeightTable, shipped
from ourcli.memory.service import MemoryService
from tools.embedding import installed_embedder

Row = NDArray[np.float64]

CANDIDATES = 200
FOLDS = 5
BATCH = 256
PRIOR = {"vector": 3.0, "words": 3.0}
"""Equal weights, to which everything is pulled."""
COLUMNS: Mapping[Weights, tuple[str, ...]] = {
    Weights.TALK: (
        "vector",
        "words",
        "previous_vector",
        "previous_words",
        "next_vector",
        "next_words",
        "session_vector",
        "session_words",
        "session_best",
        "speaker",
        "length",
    ),
    Weights.PROSE: ("vector", "words", "similar_vector", "similar_words", "feedback"),
    Weights.CODE: ("vector", "words", "standout", "similar_vector", "similar_words"),
}
"""What each kind may look at; features that gained nothing on held-out questions are left out."""
POOLED = ("vector", "words", "standout", "similar_vector", "similar_words", "feedback")
SHOWN = ("recall@10", "ndcg@10", "session_recall@10")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Asked:
    """One question with its pool and the features of its candidates, [n, features]; gains are 2^grade - 1, [n]."""

    question: QuestionLine
    relevant: Mapping[str, int]
    pool: Pool
    values: Row
    gains: Row


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DataSet:
    """A data set: its kind, its questions, the group of each (what is held out together), sessions by record."""

    name: str
    kind: Weights
    asked: Sequence[Asked]
    groups: Sequence[str]
    sessions: Mapping[str, str]


async def load(folder: Path, embedder: Embedder) -> DataSet:
    """Store a data set in a memory of its own and gather the pool of each question."""
    judged = read(folder / "corpus.jsonl", folder / "queries.jsonl")
    with tempfile.TemporaryDirectory(prefix="ourcli-learn-") as scratch:
        async with aclosing(await open_store(Path(scratch) / "db")) as store:
            memory = MemoryService(store, embedder, None, clock=SystemClock(), sink=NullSink())
            records = [to_record(line, datetime.now(UTC)) for line in judged.texts]
            for start in range(0, len(records), BATCH):
                await memory.add(records[start : start + BATCH])
            await memory.optimize()
            layers = tuple({record.layer for record in records})
            asked = []
            for question in judged.questions:
                vector, where = await embedder.embed_query(question.query), Filter(project=question.scope)
                near = [await store.nearest(layer, vector, where, CANDIDATES) for layer in layers]
                matched = [await store.matching(layer, question.query, where, CANDIDATES) for layer in layers]
                asked.append(_asked(question, gather(near, matched, vector)))
    return _data_set(folder.name, judged, asked)


def _asked(question: QuestionLine, pool: Pool) -> Asked:
    relevant = {str(record_id(name)): grade for name, grade in question.relevant.items()}
    gains = np.array([2.0 ** relevant.get(one, 0) - 1.0 for one in pool.ids], dtype=np.float64)
    return Asked(question=question, relevant=relevant, pool=pool, values=features(pool, question.query), gains=gains)


def _data_set(name: str, judged: Judged, asked: Sequence[Asked]) -> DataSet:
    kinds: Counter[Weights] = Counter()
    for one in asked:
        told = zip(one.pool.kinds, one.pool.sessions, one.pool.turns.tolist(), strict=True)
        kinds.update(weights_for(*facts) for facts in told)
    scopes = [one.question.scope for one in asked]
    groups = scopes if len(set(scopes)) > 1 else [str(place % FOLDS) for place in range(len(asked))]
    return DataSet(name=name, kind=kinds.most_common(1)[0][0], asked=asked, groups=groups, sessions=judged.sessions())


def learn(asked: Sequence[Asked], columns: Sequence[str], pull: float) -> Row:
    """Return the weights that these questions teach, in the order of `FEATURES`; 0 outside of `columns`."""
    at = [FEATURES.index(name) for name in columns]
    prior = np.array([PRIOR.get(name, 0.0) for name in columns])
    taught = [one for one in asked if one.gains.any()]
    fitted = _newton(
        np.concatenate([one.values[:, at] for one in taught]),
        np.concatenate([one.gains / one.gains.sum() for one in taught]),
        np.cumsum([0, *(len(one.gains) for one in taught)])[:-1],
        prior,
        pull,
    )
    row = np.zeros(len(FEATURES))
    row[at] = fitted
    return row


def _newton(values: Row, share: Row, starts: NDArray[np.int64], prior: Row, pull: float) -> Row:
    """Minimise -log softmax likelihood + pull/2 |w - prior|^2; rows of one question stand together from its start."""
    pool_of = np.repeat(np.arange(len(starts)), np.diff([*starts, len(values)]))
    wanted = share @ values

    def loss(weights: Row) -> tuple[float, Row]:
        scores = values @ weights
        highest = np.maximum.reduceat(scores, starts)
        raised = np.exp(scores - highest[pool_of])
        totals = np.add.reduceat(raised, starts)
        pulled = pull / 2 * float(((weights - prior) ** 2).sum())
        return float((highest + np.log(totals)).sum() - wanted @ weights) + pulled, raised / totals[pool_of]

    weights = prior.copy()
    now, likely = loss(weights)
    for _ in range(30):
        weighted = values * likely[:, None]
        means = np.add.reduceat(weighted, starts, axis=0)
        slope = means.sum(axis=0) - wanted + pull * (weights - prior)
        bend = values.T @ weighted - means.T @ means + pull * np.eye(len(prior))
        step = np.linalg.solve(bend, slope)
        while loss(weights - step)[0] > now and np.abs(step).max() > 1e-6:
            step = step / 2
        weights = weights - step
        now, likely = loss(weights)
        if np.abs(step).max() < 1e-4:
            break
    return weights


def judge(data: DataSet, order: Callable[[int, Asked], NDArray[np.int64]]) -> dict[str, float]:
    """Return the metrics of a data set under an order of each question's pool."""
    rows = []
    for place, one in enumerate(data.asked):
        ranking = [one.pool.ids[at] for at in order(place, one)[:CANDIDATES]]
        rows.append(measure(ranking, one.relevant, data.sessions))
    return mean(rows)


def by_weights(data: DataSet, rows: Sequence[Row]) -> dict[str, float]:
    """Return the metrics where question i is ranked by the product's own function with row i for every kind."""
    now = datetime.now(UTC)

    def order(place: int, one: Asked) -> NDArray[np.int64]:
        ours = dict.fromkeys(Weights, rows[place]) | {Weights.EQUAL: shipped().of[Weights.EQUAL]}
        return rank(one.pool, one.question.query, now=now, weights=WeightTable(of=ours, rerank={})).order

    return judge(data, order)


def by_equal(data: DataSet) -> dict[str, float]:
    """Return the metrics under the weights for an unknown kind."""
    equal = shipped().of[Weights.EQUAL]
    return judge(data, lambda _, one: np.argsort(-(one.values @ equal), kind="stable"))


def held_out(data: DataSet, columns: Sequence[str], pull: float) -> list[Row]:
    """Return for each question weights that were learned without its group."""
    found = {
        group: learn([one for one, its in zip(data.asked, data.groups, strict=True) if its != group], columns, pull)
        for group in set(data.groups)
    }
    return [found[group] for group in data.groups]


def within_sets(sets: Sequence[DataSet], pull: float) -> None:
    """Print the first table."""
    print("\nheld-out conversations, or fifths of the questions" + "".join(f"{name:>20}" for name in SHOWN))
    for data in sets:
        _line(f"{data.name}: vectors alone", judge(data, lambda _, one: np.argsort(-one.pool.cosine, kind="stable")))
        _line(f"{data.name}: words alone", judge(data, lambda _, one: np.argsort(-one.pool.bm25, kind="stable")))
        _line(f"{data.name}: as an unknown kind", by_equal(data))
        if data.kind in COLUMNS:
            _line(f"{data.name}: {data.kind}, held out", by_weights(data, held_out(data, COLUMNS[data.kind], pull)))


def across_sets(sets: Sequence[DataSet], pull: float) -> None:
    """Print the second table: what other sets teach."""
    print("\nleave one set out" + " " * 33 + "".join(f"{name:>20}" for name in SHOWN))
    for data in sets:
        others = [one for one in sets if one is not data]
        for kind, columns in COLUMNS.items():
            if taught := [one for other in others if other.kind is kind for one in other.asked]:
                row = learn(taught, columns, pull)
                _line(f"{data.name} ({data.kind}): by other sets' {kind}", by_weights(data, [row] * len(data.asked)))
        if taught := [one for other in others for one in other.asked]:
            row = learn(taught, POOLED, pull)
            _line(f"{data.name} ({data.kind}): by all others pooled", by_weights(data, [row] * len(data.asked)))


def _line(label: str, metrics: Mapping[str, float]) -> None:
    cells = "".join(f"{metrics[name]:>20.4f}" if name in metrics else f"{'-':>20}" for name in SHOWN)
    print(f"{label:<50}{cells}", flush=True)


def write(path: Path, sets: Sequence[DataSet], pull: float) -> None:
    """Write the table of weights; those for an unknown kind and the reranker's shares stay as they are."""
    table = shipped()
    rows = dict(table.of)
    for kind, columns in COLUMNS.items():
        if taught := [one for data in sets if data.kind is kind for one in data.asked]:
            rows[kind] = learn(taught, columns, pull)
    names = [f"#   {data.name}: {data.kind}, {len(data.asked)} questions" for data in sets]
    lines = [
        "# Weights of the fusion: kind of record -> feature -> weight. Features are explained in features.py.",
        "# Learned by `python -m tools.learn_fusion`: conditional logistic regression, pulled towards equal weights",
        f"# (vector and words 3.0 each, pull {pull}), on",
        *names,
        "# `equal` is for records of unknown kind and for the level of the kinds in one search. It is not learned, but",
        "# chosen by hand after a search, for the least worst loss to the better leg alone.",
        "# `rerank` is the reranker's share in the final score.",
    ]
    for kind in Weights:
        lines += ["", f"[{kind}]"]
        lines += [f"{name} = {value:.2f}" for name, value in zip(FEATURES, rows[kind], strict=True) if value]
    lines += ["", "[rerank]", *(f"{name} = {share}" for name, share in table.rerank.items())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


async def _load_all(folders: Sequence[Path]) -> list[DataSet]:
    async with installed_embedder() as embedder:
        sets = []
        for folder in folders:
            sets.append(await load(folder, embedder))
            print(f"{folder.name}: {len(sets[-1].asked)} questions, {sets[-1].kind}", file=sys.stderr, flush=True)
        return sets


def main() -> None:
    """Load the sets, print both tables, write the weights where asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER", help="a data set")
    parser.add_argument("--write", type=Path, metavar="FILE", help="where the learned table goes")
    parser.add_argument("--pull", type=float, default=0.3, help="how strongly weights are pulled (0.3)")
    arguments = parser.parse_args()
    sets = asyncio.run(_load_all(arguments.folders))
    within_sets(sets, arguments.pull)
    across_sets(sets, arguments.pull)
    if arguments.write:
        write(arguments.write, sets, arguments.pull)


if __name__ == "__main__":
    main()
