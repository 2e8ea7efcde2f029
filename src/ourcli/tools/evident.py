"""Arguments that a question gives word for word, so that no model has to be asked.

Files and addresses always come from here: a tool that needs one is no answer to a question that names none, and a
model's guess would be somebody else's file. The rest is taken only where it cannot be mistaken: one quoted text, as
many numbers as are needed, a value of a short list, one sum.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ourcli.common.meaning import words_of
from ourcli.tools.arguments import numbers_in, properties_of, required_of
from ourcli.tools.choosing import in_words
from ourcli.tools.data import Json
from ourcli.tools.spec import ToolSpec

_PLACES: Final = frozenset({"path", "paths", "file", "files", "filename", "filepath", "folder", "directory", "dir"})
_ADDRESSES: Final = frozenset({"url", "uri", "link", "address"})
_SUMS: Final = frozenset({"expression", "formula", "calculation", "sum"})
_ADDRESS = re.compile(r"https?://[^\s\"'<>]+[^\s\"'<>.,;:!?)]", re.IGNORECASE)
QUOTED: Final = re.compile(r"[\"“]([^\"”\n]{1,400})[\"”]|(?<!\w)'([^'\n]{1,400})'(?!\w)|`([^`\n]{1,400})`")
"""A text in quotes, in one of its groups."""
_SUM = re.compile(r"[\d(][\d\s.,()+\-*/%^×÷]*[+\-*/%^×÷][\d\s.()+\-*/%^×÷]*[\d)]")
_CALCULATES = re.compile(r"[+*^×÷]|\s[-/]\s|[()].*[-/]")
"""What a date, a range or a version does not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question with what stands in it word for word.

    Attributes:
        text: The user's words.
        files: Files that it names and that are there, as written.
        general: The words with "this file" and the like in place of what stands in them, for comparing with what tools
            say of themselves; the words themselves when there is nothing of the kind.
    """

    text: str
    files: tuple[str, ...] = ()
    addresses: tuple[str, ...] = field(init=False)
    quoted: tuple[str, ...] = field(init=False)
    sums: tuple[str, ...] = field(init=False)
    general: str = field(init=False)
    numbers: tuple[float, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Look for what stands in it."""
        addresses = tuple(dict.fromkeys(_ADDRESS.findall(self.text)))
        bare = self.text
        for taken in (*addresses, *self.files):
            bare = bare.replace(taken, " ")
        quoted = tuple(next(part for part in match if part) for match in QUOTED.findall(bare))
        sums = tuple(one for one in _SUM.findall(QUOTED.sub(" ", bare)) if _CALCULATES.search(one))
        for name, value in (
            ("addresses", addresses),
            ("quoted", tuple(one for one in quoted if one not in self.files)),
            ("sums", sums),
            ("general", _general(self.text, self.files, addresses, sums)),
            ("numbers", tuple(sorted(numbers_in(QUOTED.sub(" ", bare))))),
        ):
            object.__setattr__(self, name, value)


def _general(text: str, files: Sequence[str], addresses: Sequence[str], sums: Sequence[str]) -> str:
    for address in addresses:
        text = text.replace(address, "this web page")
    for file in files:
        text = text.replace(file, "this folder" if file.endswith("/") else "this file")
    for sum_ in sums:
        text = text.replace(sum_, "this calculation")
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Evident:
    """What a question gives of a tool's arguments.

    Attributes:
        given: Arguments that are certain.
        complete: They are all that the tool must have, and nothing is left in the question that it could take.
    """

    given: Mapping[str, Json]
    complete: bool


def evident(spec: ToolSpec, question: Question) -> Evident | None:
    """Return what the question gives of a tool's arguments, or None when it lacks a file or address the tool needs."""
    taking = _Taking(spec, question)
    for name, schema in properties_of(spec.input_schema).items():
        taking.take(name, schema)
    required = required_of(spec.input_schema)
    lacking = [name for name in required if name not in taking.given]
    if any(_is_named(name, _PLACES | _ADDRESSES) for name in lacking):
        return None
    return Evident(given=taking.given, complete=not lacking and not taking.left_over())


class _Taking:
    """Takes what a question holds, argument by argument; each thing once."""

    def __init__(self, spec: ToolSpec, question: Question) -> None:
        self._question, self._words = question, words_of(question.text)
        self._required = required_of(spec.input_schema)
        self._properties = properties_of(spec.input_schema)
        self._files, self._addresses = list(question.files), list(question.addresses)
        self._quoted, self._sums = list(question.quoted), list(question.sums)
        self._numbers = list(question.numbers)
        self.given: dict[str, Json] = {}

    def take(self, name: str, schema: Json) -> None:
        """Give an argument its value, when the question has one for it."""
        found = self._value(name, schema if isinstance(schema, Mapping) else {})
        if found is not None:
            self.given[name] = found

    def _value(self, name: str, schema: Mapping[str, Json]) -> Json:
        kind, must = schema.get("type"), name in self._required
        if _is_named(name, _PLACES):
            return self._places(kind)
        if _is_named(name, _ADDRESSES):
            return self._addresses.pop(0) if self._addresses else None
        if isinstance(listed := schema.get("enum"), list):
            return self._listed(listed)
        if kind == "string" and _is_named(name, _SUMS):
            self._numbers.clear()
            return _computable(self._sums.pop(0)) if len(self._sums) == 1 else None
        return self._one_of_a_kind(kind) if must else None

    def _one_of_a_kind(self, kind: Json) -> Json:
        if kind == "string" and len(self._quoted) == self._needed("string") == 1:
            return self._quoted.pop()
        if kind in ("integer", "number") and self._needed("integer", "number") == len(self._numbers) == 1:
            return _number(self._numbers.pop(), str(kind))
        return None

    def _places(self, kind: Json) -> Json:
        if not self._files:
            return None
        if kind == "array":
            taken: list[Json] = list(self._files)
            self._files.clear()
            return taken
        return self._files.pop(0)

    def _listed(self, listed: Sequence[Json]) -> Json:
        said = [one for one in listed if isinstance(one, str) and words_of(one) and words_of(one) <= self._words]
        return said[0] if len(said) == 1 else None

    def _needed(self, *kinds: str) -> int:
        """Return how many arguments of these types must be given and are neither files nor addresses nor lists."""
        open_names = (name for name in self._required if not _is_named(name, _PLACES | _ADDRESSES | _SUMS))
        schemas = (self._properties.get(name) for name in open_names)
        return sum(isinstance(one, Mapping) and one.get("type") in kinds and "enum" not in one for one in schemas)

    def left_over(self) -> bool:
        """Say whether the question holds something that an argument without a value might want."""
        if all(name in self.given for name in self._properties):
            return False
        return bool(self._files or self._addresses or self._quoted or self._sums or self._numbers)


def _computable(text: str) -> str:
    return text.strip().replace("×", "*").replace("÷", "/")


def _is_named(name: str, words: frozenset[str]) -> bool:
    return not words.isdisjoint(in_words(name).lower().split()[-1:])


def _number(value: float, kind: str) -> Json:
    if kind == "integer":
        return int(value) if value.is_integer() else None
    return int(value) if value.is_integer() else value
