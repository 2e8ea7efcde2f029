"""From tables of a configuration file to rules: every mistake is told with the rule and the field it stands in."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from importlib.resources import files
from typing import Annotated, Literal, NoReturn

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from ourcli.common.errors import ConfigError
from ourcli.config.keys import nearest, shorten
from ourcli.memory.layers import Layer
from ourcli.memory.ledger import Verb
from ourcli.memory.policy.duration import parse_duration
from ourcli.memory.policy.rule import ANY, Range, Rule, Then, When
from ourcli.memory.record import Trust

KEY = "memory.rules"
_MOST_RULES = 100
_BY_HAND = "user"
"""What the ledger names as the rule of a command; no rule may be called so."""


def _name(text: str) -> str:
    if text == _BY_HAND:
        raise ValueError(f"{_BY_HAND!r} stands for what the user does by hand")
    return text


def _duration(value: object) -> timedelta:
    if not isinstance(value, str):
        raise ValueError("it is no text")
    return parse_duration(value)


def _tags(tags: list[str]) -> list[str]:
    if not tags:
        raise ValueError("it is empty")
    return tags


_Duration = Annotated[timedelta, BeforeValidator(_duration), Field(strict=False)]
_Layer = Annotated[Layer, Field(strict=False)]
_Trust = Annotated[Trust, Field(strict=False)]
_Text = Annotated[str, Field(min_length=1, max_length=200)]
_Tags = Annotated[list[_Text], AfterValidator(_tags)]
_Count = Annotated[int, Field(ge=0)]

_LENGTH = "a length of time such as 30m, 24h or 90d"
_LAYERS = "one of interact, insights and assets"
_WORDS = "a list of words"
_BOUNDS = "a table with min, max or both, as in {min = 2}"
_NUMBER = "a whole number from 0"
_TRUE = "true or false"
_TAKES: Mapping[str, str] = {
    "name": "a name of small letters, digits and -, starting with a letter",
    "when": "a table of conditions",
    "when.layer": _LAYERS,
    "when.older_than": _LENGTH,
    "when.unused_for": _LENGTH,
    "when.tags": _WORDS,
    "when.kind": "a word",
    "when.uses": _BOUNDS,
    "when.uses.min": _NUMBER,
    "when.uses.max": _NUMBER,
    "when.distinct_queries": _BOUNDS,
    "when.distinct_queries.min": _NUMBER,
    "when.distinct_queries.max": _NUMBER,
    "when.trust": "one of user, model, tool and web",
    "when.pinned": _TRUE,
    "then": "a table with what is to be done",
    "then.do": "one of promote, demote, summarise, expire and tag",
    "then.to": _LAYERS,
    "then.distil": _TRUE,
    "then.tags": _WORDS,
}
"""What each field of a rule takes, in words, for messages and the reference."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _RangeTable(_Table):
    min: _Count | None = None
    max: _Count | None = None

    @model_validator(mode="after")
    def _has_a_bound(self) -> "_RangeTable":
        if self.min is None and self.max is None:
            raise ValueError("it needs min, max or both")
        return self


class _WhenTable(_Table):
    layer: _Layer | None = None
    older_than: _Duration | None = None
    unused_for: _Duration | None = None
    tags: _Tags | None = None
    kind: _Text | None = None
    uses: _RangeTable | None = None
    distinct_queries: _RangeTable | None = None
    trust: _Trust | None = None
    pinned: bool = False


class _ThenTable(_Table):
    do: Literal["promote", "demote", "summarise", "expire", "tag"]
    to: _Layer | None = None
    distil: bool = False
    tags: _Tags | None = None


class _RuleTable(_Table):
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,63}$"), AfterValidator(_name)]
    when: _WhenTable
    then: _ThenTable


def validate_rules(raw: Sequence[Mapping[str, object]]) -> tuple[Rule, ...]:
    """Return the rules that tables of `memory.rules` mean, in their order; the shipped ones when there are none.

    Raises:
        ConfigError: One is not valid; names the rule and the field, and for an unknown key the nearest one.
    """
    if not raw:
        return shipped_rules()
    if len(raw) > _MOST_RULES:
        raise ConfigError(f"{KEY} holds {len(raw)} rules, at most {_MOST_RULES} are read", hint="remove some")
    rules: list[Rule] = []
    for number, table in enumerate(raw, start=1):
        rule = _read(table, _place(table, number))
        if any(rule.name == earlier.name for earlier in rules):
            raise ConfigError(f"{KEY}: two rules are called {rule.name!r}", hint="give each rule a name of its own")
        rules.append(rule)
    return tuple(rules)


def shipped_rules() -> tuple[Rule, ...]:
    """Return the rules that ourcli comes with."""
    tables = tomllib.loads(shipped_text())["memory"]["rules"]
    return tuple(_read(table, _place(table, number)) for number, table in enumerate(tables, start=1))


def shipped_text() -> str:
    """Return the file of the shipped rules, comments included; it can stand in a configuration file as it is."""
    return (files("ourcli.memory.policy") / "rules.toml").read_text(encoding="utf-8")


def _place(table: Mapping[str, object], number: int) -> str:
    name = table.get("name")
    return f"{KEY}: rule {shorten(name)}" if isinstance(name, str) else f"{KEY}: rule {number}"


def _read(table: Mapping[str, object], place: str) -> Rule:
    try:
        parsed = _RuleTable.model_validate(dict(table))
    except (ValidationError, RecursionError) as exc:
        raise _told(exc, place) from exc
    rule = Rule(name=parsed.name, when=_when(parsed.when), then=_then(parsed.then))
    _check_effect(rule, place)
    return rule


def _when(table: _WhenTable) -> When:
    return When(
        layer=table.layer,
        older_than=table.older_than,
        unused_for=table.unused_for,
        tags=tuple(dict.fromkeys(table.tags or ())),
        kind=table.kind,
        uses=_range(table.uses),
        distinct_queries=_range(table.distinct_queries),
        trust=table.trust,
        pinned=table.pinned,
    )


def _then(table: _ThenTable) -> Then:
    return Then(do=Verb(table.do), to=table.to, distil=table.distil, tags=tuple(dict.fromkeys(table.tags or ())))


def _range(table: _RangeTable | None) -> Range:
    return Range(least=table.min or None, most=table.max) if table else ANY  # at least 0 says nothing


def _check_effect(rule: Rule, place: str) -> None:
    """Refuse an effect that is incomplete, that cannot be, or that would delete without any condition of time."""
    when, then = rule.when, rule.then
    moves = then.do in (Verb.PROMOTE, Verb.DEMOTE, Verb.SUMMARISE)
    if moves and then.to is None:
        _refuse(place, "then.to", f"is missing: {then.do} needs the layer to go to", 'write to = "insights"')
    if moves and then.to is when.layer:
        _refuse(place, "then.to", f"is {str(then.to)!r}, where the records are already", "name another layer")
    if not moves and then.to is not None:
        _refuse(place, "then.to", f"is {str(then.to)!r}, but {then.do} moves nothing", "leave it out")
    if then.distil and then.do not in (Verb.PROMOTE, Verb.DEMOTE):
        _refuse(place, "then.distil", f"does not go with {then.do}", "only promote and demote keep a record's text")
    if then.do is Verb.TAG and not then.tags:
        _refuse(place, "then.tags", "is missing: tag needs the tags to add", 'write tags = ["word"]')
    if then.do is Verb.EXPIRE and then.tags:
        _refuse(place, "then.tags", "does not go with expire", "leave it out")
    if then.do is Verb.EXPIRE and when.older_than is None and when.unused_for is None:
        _refuse(place, "when", "lets records expire at once", "give older_than or unused_for")


def _refuse(place: str, field: str, what: str, hint: str) -> NoReturn:
    raise ConfigError(f"{place}: {field} {what}", hint=hint)


def _told(exc: ValidationError | RecursionError, place: str) -> ConfigError:
    """Return the first thing that is wrong with a rule, in words."""
    if isinstance(exc, RecursionError):
        return ConfigError(f"{place}: it is nested too deeply", hint="see `ourcli memory policy show`")
    first = exc.errors(include_url=False)[0]
    path = [str(part) for part in first["loc"] if isinstance(part, str)]
    field, table = ".".join(path), ".".join(path[:-1])
    if first["type"] == "extra_forbidden":
        known = [key.rpartition(".")[2] for key in _TAKES if key.rpartition(".")[0] == table]
        close = nearest(path[-1], known)
        hint = f"did you mean {close!r}?" if close else f"there are {', '.join(known)}"
        return ConfigError(f"{place}: unknown key {shorten(field)}", hint=hint)
    if first["type"] == "missing":
        return ConfigError(f"{place}: {field} is missing", hint=f"give {_TAKES[field]}")
    own = first.get("ctx", {}).get("error")
    reason = f" ({own})" if own else ""
    return ConfigError(f"{place}: {field} is {shorten(first['input'])}{reason}", hint=f"give {_TAKES[field]}")
