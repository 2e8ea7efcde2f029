"""Texts to measure with: real ones, and more of their kind grown from them."""

import ast
import re
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from ourcli.common.errors import InvalidInputError
from ourcli.memory.vectors import Matrix

_SHORTEST, _LONGEST = 40, 1_200
_PARAGRAPH = re.compile(r"\n\s*\n")
_SAMPLE = 2_000
_NEIGHBOURS = 5
_REPLACED = 3
"""One word of so many is another one in a grown text."""
_SPREAD = 0.7
"""Share of the distance between neighbours by which a grown vector differs, so that it has neighbours as near."""


class _Line(BaseModel):
    model_config = ConfigDict(extra="ignore")  # data sets carry columns of their own
    text: str


def texts_of(corpus: Path, most: int) -> list[str]:
    """Return up to so many different texts of a file of JSON lines with a column `text`.

    Raises:
        InvalidInputError: The file cannot be read or a line is not valid.
    """
    try:
        lines = corpus.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidInputError(f"cannot read {str(corpus)!r}: {exc}") from exc
    found: dict[str, None] = {}
    for number, line in enumerate(lines, start=1):
        if line.strip() and len(found) < most:
            found[_text(line, f"{str(corpus)!r}, line {number}")] = None
    return list(found)


def _text(line: str, place: str) -> str:
    try:
        text = _Line.model_validate_json(line).text[:_LONGEST]
    except ValidationError as exc:
        raise InvalidInputError(f"{place}: no JSON object with a text") from exc
    if not text.strip():
        raise InvalidInputError(f"{place}: the text is empty")
    return text


def documentation(most: int) -> list[str]:
    """Return up to so many different paragraphs of the documentation inside of this Python's own modules."""
    found: dict[str, None] = {}
    for folder in dict.fromkeys((sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"))):
        for file in sorted(Path(folder).rglob("*.py")):
            for paragraph in _paragraphs(file):
                found[paragraph] = None
            if len(found) >= most:
                return list(found)[:most]
    return list(found)


def _paragraphs(file: Path) -> Iterator[str]:
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            for paragraph in _PARAGRAPH.split(ast.get_docstring(node) or ""):
                plain = " ".join(paragraph.split()).encode("utf-8", "ignore").decode()
                if len(plain) >= _SHORTEST:
                    yield plain[:_LONGEST]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grower:
    """Makes more texts of the kind of real ones; the same ones every time.

    A grown vector is a real one plus noise with the covariance of the differences between real neighbours; a grown
    text is the real one with a third of its words taken from anywhere in the real texts.

    Attributes:
        texts: The real ones.
        vectors: Their unit vectors, [n, 384].
        noise: Lower triangular factor of the noise's covariance, [384, 384].
    """

    texts: Sequence[str]
    vectors: Matrix
    noise: NDArray[np.float32]

    @classmethod
    def fitted(cls, texts: Sequence[str], vectors: Matrix) -> "Grower":
        """Fit the noise to real texts, at least two."""
        chance = np.random.default_rng(1)
        sample = chance.choice(len(texts), min(_SAMPLE, len(texts)), replace=False)
        near = np.argsort(-(vectors[sample] @ vectors.T), axis=1)[:, 1 : 1 + _NEIGHBOURS]
        differences = (vectors[near] - vectors[sample][:, np.newaxis]).reshape(-1, vectors.shape[1])
        covariance = np.cov(differences.T) + 1e-6 * np.eye(vectors.shape[1])
        return cls(texts=texts, vectors=vectors, noise=np.linalg.cholesky(covariance).astype(np.float32))

    def rows(self, start: int, count: int) -> tuple[list[str], Matrix]:
        """Return the rows from `start` on: the real ones first, then grown ones; vectors have shape [count, 384]."""
        real = range(start, min(start + count, len(self.texts)))
        if len(real) == count:
            return [self.texts[place] for place in real], self.vectors[start : start + count]
        chance = np.random.default_rng((2, start))
        bases = chance.integers(0, len(self.texts), count - len(real))
        noise = chance.standard_normal((len(bases), self.vectors.shape[1]), dtype=np.float32) @ self.noise.T
        grown = self.vectors[bases] + _SPREAD * noise
        grown /= np.linalg.norm(grown, axis=1, keepdims=True)
        texts = [self.texts[place] for place in real] + [self._varied(int(base), chance) for base in bases]
        return texts, np.concatenate([self.vectors[real.start : real.stop], grown]).astype(np.float32)

    def _varied(self, base: int, chance: np.random.Generator) -> str:
        words = self.texts[base].split()
        changed = max(1, len(words) // _REPLACED)
        for place, other in zip(
            chance.integers(0, len(words), changed), chance.integers(0, len(self.texts), changed), strict=True
        ):
            strange = self.texts[other].split()
            words[place] = strange[place % len(strange)]
        return " ".join(words)
