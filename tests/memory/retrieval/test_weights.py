"""The table of weights: what is in the package, and what is refused."""

import pytest

from ourcli.memory.retrieval.features import FEATURES
from ourcli.memory.retrieval.kinds import Weights
from ourcli.memory.retrieval.weights import parsed, shipped
from tests.promises import promise

TABLE = "[talk]\nvector = 1\n[prose]\nvector = 1\n[code]\nvector = 1\n[equal]\nvector = 1\n[rerank]\ntalk = 0.2\n"


def test_the_shipped_table_has_weights_of_every_kind() -> None:
    table = shipped()
    assert set(table.of) == set(Weights)
    assert all(len(row) == len(FEATURES) and row[FEATURES.index("vector")] > 0 for row in table.of.values())
    assert set(table.rerank) == {str(name) for name in Weights}
    assert all(0 <= share <= 1 for share in table.rerank.values())


def test_weights_for_an_unknown_kind_are_never_below_0_so_that_levels_lie_in_0_to_1() -> None:
    assert (shipped().of[Weights.EQUAL] >= 0).all()


def test_a_feature_without_a_weight_counts_nothing() -> None:
    row = parsed(TABLE).of[Weights.CODE]
    assert dict(zip(FEATURES, row, strict=True))["words"] == 0.0


@promise("memory.weights.table")
@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ("[talk]\nvector", "[talk]\nvectr", "vectr"),
        ("[code]", "[cod]", "cod"),
        ("[equal]\nvector = 1\n", "", "equal"),
        ("[prose]\nvector = 1", "[prose]\nvector = nan", "vector"),
        ("[prose]\nvector = 1", '[prose]\nvector = "1"', "vector"),
        ("[prose]\nvector = 1", "[prose]\nvector = true", "vector"),
        ("talk = 0.2", "talk = inf", "talk"),
    ],
)
def test_a_wrong_table_is_refused_and_the_wrong_name_is_told(before: str, after: str, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        parsed(TABLE.replace(before, after))
