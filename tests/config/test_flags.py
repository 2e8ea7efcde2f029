"""The network switch, log levels and extras."""

import logging

import pytest

from ourcli.common.errors import ConfigError, MissingExtraError
from ourcli.config.flags import EXTRAS, has_extra, network_allowed, parse_log_spec, require_extra
from tests.promises import promise


@promise("config.net.switch")
@pytest.mark.parametrize(("value", "allowed"), [("1", True), ("0", False), ("", False)])
def test_the_network_is_on_with_1_only(value: str, allowed: bool) -> None:
    assert network_allowed({"OURCLI_NET": value}) is allowed
    assert network_allowed({}) is False


@pytest.mark.parametrize("value", ["yes", "true", "2", " 1", "off"])
def test_any_other_word_for_the_network_is_refused(value: str) -> None:
    with pytest.raises(ConfigError, match="expected 1 or 0"):
        network_allowed({"OURCLI_NET": value})


@promise("config.log.spec")
def test_levels_go_to_all_or_to_one_target() -> None:
    spec = parse_log_spec("warn, memory=DEBUG,ai.llm=info,lancedb=off")
    assert spec.level == logging.WARNING
    assert spec.targets == {
        "ourcli.memory": logging.DEBUG,
        "ourcli.ai.llm": logging.INFO,
        "lancedb": logging.CRITICAL + 10,
    }


def test_no_spec_asks_for_nothing() -> None:
    assert (parse_log_spec("").level, dict(parse_log_spec(",").targets)) == (None, {})


@promise("config.log.wrong")
@pytest.mark.parametrize(
    ("text", "near"),
    [("inof", "'info'"), ("memory=debgu", "'debug'"), ("memory=", ""), ("=info", ""), ("a b=info", "")],
)
def test_a_wrong_spec_is_refused_with_the_nearest(text: str, near: str) -> None:
    with pytest.raises(ConfigError, match="OURCLI_LOG") as caught:
        parse_log_spec(text)
    assert near in caught.value.hint


@promise("config.extra.missing")
@pytest.mark.parametrize("name", ["remote-openai", "gpu", "tui"])
def test_a_missing_extra_says_how_to_install_it(name: str) -> None:
    with pytest.raises(MissingExtraError, match=f"{name!r} .* is not installed") as caught:
        require_extra(name, lambda _name: False)
    assert f'pip install "ourcli[{name}]"' in caught.value.hint
    assert f'uv tool install "ourcli[{name}]"' in caught.value.hint
    assert caught.value.exit_code == 2


def test_an_extra_is_there_when_its_modules_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ourcli.config.flags.find_spec", lambda module: object() if module == "textual" else None)
    require_extra("tui")
    assert [name for name in EXTRAS if has_extra(name)] == ["tui"]
