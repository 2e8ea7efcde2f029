"""How much a model is given to read."""

import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ourcli.ai.backends.rates_file import open_prefill_rates
from ourcli.ai.budget import batch_tokens, guessed_rate, learned_rate, measured_rate, prompt_budget
from ourcli.ai.ports import Finished
from tests.promises import promise


def read_in(prefill_ms: float, *, tokens: int = 200, cached: int = 0) -> Finished:
    return Finished(
        reason="stop",
        input_tokens=tokens,
        cached_tokens=cached,
        output_tokens=1,
        prefill_ms=prefill_ms,
        generate_ms=1,
    )


@promise("ai.budget.prompt")
@pytest.mark.parametrize(
    ("context", "answer", "rate", "seconds", "budget"),
    [(8192, 512, 100, 5, 500), (1024, 512, 1000, 5, 512), (512, 1024, 100, 5, 0), (4096, 0, 0.1, 5, 0)],
)
def test_a_prompt_is_bounded_by_context_and_time(
    context: int, answer: int, rate: float, seconds: float, budget: int
) -> None:
    assert prompt_budget(context, answer, rate, seconds) == budget


@given(st.integers(1, 10**6), st.integers(0, 10**6), st.floats(0, 1e6), st.floats(0, 600))
def test_a_budget_never_exceeds_either_bound(context: int, answer: int, rate: float, seconds: float) -> None:
    budget = prompt_budget(context, answer, rate, seconds)

    assert budget >= 0
    assert budget == 0 or (budget + answer <= context and budget <= rate * seconds)


def test_only_uncached_tokens_count_and_tiny_samples_do_not() -> None:
    assert measured_rate(read_in(1000, tokens=300, cached=100)) == 200
    assert measured_rate(read_in(10, tokens=63)) is None
    assert measured_rate(read_in(10, tokens=500, cached=490)) is None
    assert measured_rate(read_in(0)) is None


def test_a_new_measurement_moves_the_average_a_part_of_the_way() -> None:
    assert learned_rate(None, 80) == 80
    assert learned_rate(100, 200) == pytest.approx(130)


@pytest.mark.parametrize(("megabytes", "low", "high"), [(98, 400, 500), (491, 110, 150), (1117, 67, 82)])
def test_the_guess_fits_the_models_that_were_measured(megabytes: int, low: int, high: int) -> None:
    assert low <= guessed_rate(megabytes * 1_000_000, 2) <= high
    assert guessed_rate(0, 2) == guessed_rate(10**9, 2)


@promise("ai.llm.cancel-in-prompt")
@pytest.mark.parametrize("rate", [80, 100, 130, 450, 10_000])
def test_two_batches_are_read_within_a_fifth_of_a_second(rate: float) -> None:
    assert 2 * batch_tokens(rate) / rate <= 0.2
    assert batch_tokens(rate) >= 8


@promise("ai.budget.prefill-rate")
def test_reading_speed_is_remembered_by_model_and_threads(tmp_path: Path) -> None:
    path = tmp_path / "state" / "prefill.json"
    open_prefill_rates(path, threads=2).note("small", read_in(1000))

    again = open_prefill_rates(path, threads=2)
    assert again.rate("small", weights_bytes=10**9) == 200
    assert again.rate("other", weights_bytes=10**9) == guessed_rate(10**9, 2)
    assert open_prefill_rates(path, threads=4).rate("small", weights_bytes=10**9) == guessed_rate(10**9, 4)


def test_a_tiny_sample_writes_nothing(tmp_path: Path) -> None:
    open_prefill_rates(tmp_path / "prefill.json", threads=2).note("small", read_in(10, tokens=5))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"small/2": "fast"}', b"\xff\xfe"])
def test_damaged_speeds_are_guessed_anew_with_a_warning(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "prefill.json"
    path.write_bytes(content)
    rates = open_prefill_rates(path, threads=2)

    with caplog.at_level(logging.WARNING):
        assert rates.rate("small", weights_bytes=10**9) == guessed_rate(10**9, 2)
    rates.note("small", read_in(1000))

    assert "begun anew" in caplog.text
    assert rates.rate("small") == 200


def test_speeds_that_cannot_be_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "prefill.json"
    path.write_text('{"small/2": -5.0, "other/2": 0}')

    assert open_prefill_rates(path, threads=2).rate("small", weights_bytes=10**9) == guessed_rate(10**9, 2)


def test_a_place_that_cannot_be_written_costs_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "state").write_text("a file")

    open_prefill_rates(tmp_path / "state" / "prefill.json", threads=2).note("small", read_in(1000))

    assert "not remembered" in caplog.text
