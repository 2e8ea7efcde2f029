"""Learning weights: what is taught comes first, nothing taught changes nothing, and the table can be read again."""

from pathlib import Path

import numpy as np
import pytest

from ourcli.app.bench.judged import QuestionLine
from ourcli.memory.retrieval.features import FEATURES, features
from ourcli.memory.retrieval.kinds import Weights
from ourcli.memory.retrieval.weights import parsed, shipped
from tests.promises import promise
from tests.support.pools import a_candidate, a_pool
from tools.learn_fusion import COLUMNS, PRIOR, Asked, DataSet, held_out, learn, write

RNG = np.random.default_rng(7)


def asked(number: int, *, wanted_is_near: bool) -> Asked:
    """Return a question whose relevant candidate is near by vector, or by words."""
    spread = RNG.uniform(0.0, 0.6, size=6)
    pool = a_pool(
        a_candidate("near", (0.95, 0.1, 0.0), 1.0, kind="code"),
        a_candidate("worded", (0.6, 0.0, 0.5), 9.0, kind="code"),
        *(a_candidate(f"other {at}", (share, 1.0), 4.0 * share, kind="code") for at, share in enumerate(spread)),
    )
    gains = np.array([float(wanted_is_near), float(not wanted_is_near), *[0.0] * 6])
    wanted = pool.ids[int(gains.argmax())]
    question = QuestionLine(id=str(number), query="q", relevant={wanted: 1})
    return Asked(question=question, relevant={wanted: 1}, pool=pool, values=features(pool, "q"), gains=gains)


@promise("memory.weights.learned")
@pytest.mark.parametrize("wanted_is_near", [True, False])
def test_what_was_taught_comes_first(wanted_is_near: bool) -> None:
    lessons = [asked(number, wanted_is_near=wanted_is_near) for number in range(20)]
    row = learn(lessons, COLUMNS[Weights.CODE], 0.3)
    firsts = [int((one.values @ row).argmax()) for one in lessons]
    assert firsts == [0 if wanted_is_near else 1] * 20


@promise("memory.weights.learned")
def test_a_strong_pull_leaves_equal_weights_and_other_columns_stay_empty() -> None:
    row = learn([asked(1, wanted_is_near=True)], ("vector", "words"), 1e9)
    weights = dict(zip(FEATURES, row, strict=True))
    assert weights["vector"] == pytest.approx(PRIOR["vector"], abs=1e-6)
    assert weights["words"] == pytest.approx(PRIOR["words"], abs=1e-6)
    assert sum(value != 0 for value in row) == 2


def test_a_question_is_never_judged_by_weights_that_saw_its_group() -> None:
    lessons = [asked(number, wanted_is_near=number < 5) for number in range(10)]
    groups = ["near"] * 5 + ["worded"] * 5
    data = DataSet(name="d", kind=Weights.CODE, asked=lessons, groups=groups, sessions={})
    rows = held_out(data, ("vector", "words"), 0.3)
    assert rows[0].tolist() == learn(lessons[5:], ("vector", "words"), 0.3).tolist()
    assert rows[9].tolist() == learn(lessons[:5], ("vector", "words"), 0.3).tolist()


def test_the_written_table_can_be_read_and_changes_only_what_was_learned(tmp_path: Path) -> None:
    lessons = [asked(number, wanted_is_near=True) for number in range(5)]
    data = DataSet(name="functions", kind=Weights.CODE, asked=lessons, groups=["all"] * 5, sessions={})
    path = tmp_path / "weights.toml"
    write(path, [data], 0.3)
    table = parsed(path.read_text(encoding="utf-8"))
    assert table.of[Weights.CODE] == pytest.approx(learn(lessons, COLUMNS[Weights.CODE], 0.3), abs=0.005)
    assert table.of[Weights.TALK].tolist() == shipped().of[Weights.TALK].tolist()
    assert dict(table.rerank) == dict(shipped().rerank)
