"""What kind of text a record is, for the weights that rank it: pure."""

import re
from collections.abc import Sequence
from enum import StrEnum

CODE_KIND = "code"
"""`Record.kind` of source code; ingestion sets it."""
DOCUMENT_KIND = "document"
"""`Record.kind` of running text; ingestion sets it."""
NOTE_KIND = "note"

_DEFINITION = re.compile(
    r"""
    ^\s*(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|pub|unsafe|inline|virtual)\s+)*
    (?: (?:def|function|func|fn|sub|proc)\s+[\w$:.<>]+\s*[({:<\[]
      | (?:class|struct|enum|interface|trait|impl|module|type)\s+[\w$.]+\s*
        (?:[({<]|:\s*$|:\s*\w+\s*\{|extends\s|implements\s|for\s+\w+\s*\{)
      | (?:[\w<>\[\]*&:]+\s+)+[\w$]+\s*\([^()]*\)\s*(?:const\s*)?(?:throws\s+\w+\s*)?\{
      | (?:SELECT|INSERT\s+INTO|CREATE\s+TABLE|UPDATE)\s.+\s(?:FROM|VALUES|SET)\b )
    """,
    re.VERBOSE,
)
_PREAMBLE = re.compile(r"^\s*(?:@\w|\#|//|/\*|\*|import\s|from\s+\S+\s+import\s|use\s+\w+::|package\s|\#include)")
_CODE_LINE = re.compile(
    r"""
    [;{}]\s*$ | ^\s*[)\]}]+[;,]?\s*$
    | ^\s*(?:if|for|while|else|elif|try|except|catch|with|switch|case|return|raise|throw|import|from|yield)\b
      .*(?:[:;{}()\]=]|import\s.+)\s*$
    | ^\s*[\w.\[\]'"]+(?:\s*:\s*[\w\[\]]+)?\s*(?:=|\+=|-=|:=)\s*[\w"'(\[{] | ^\s*[\w.]+\(.*\)\s*$
    """,
    re.VERBOSE,
)
_CODE_SHARE = 0.4
_LEAST_CODE_LINES = 2
_SENTENCE = re.compile(r"[^\W\d_]{2,}[^.!?]*[.!?](?=\s|$)")
_LEAST_SENTENCES = 2
_LEAST_LETTERS = 0.6
_LONGEST_LOOK = 4_000


class Weights(StrEnum):
    """Names of the weights in `weights.toml`."""

    TALK = "talk"
    PROSE = "prose"
    CODE = "code"
    EQUAL = "equal"


def weights_for(kind: str, session: str, turn: int) -> Weights:
    """Return which weights rank a record; what is of no known kind gets equal ones.

    Args:
        kind: The record's kind.
        session: Its session, or "".
        turn: Its turn, -1 for none.
    """
    if session and turn >= 0:
        return Weights.TALK
    if kind == CODE_KIND:
        return Weights.CODE
    return Weights.PROSE if kind == DOCUMENT_KIND else Weights.EQUAL


def kind_of_text(text: str) -> str:
    """Return `code`, `document` (running text of two sentences or more) or `note` for a text of unknown origin."""
    look = text[:_LONGEST_LOOK]
    if _is_code([line for line in look.split("\n") if line.strip()]):
        return CODE_KIND
    letters = sum(character.isalpha() or character.isspace() for character in look)
    sentences = len(_SENTENCE.findall(look))
    return DOCUMENT_KIND if sentences >= _LEAST_SENTENCES and letters >= _LEAST_LETTERS * len(look) else NOTE_KIND


def _is_code(lines: Sequence[str]) -> bool:
    """Say whether a definition comes first, imports and comments apart, or many lines look like code."""
    first = next((line for line in lines if not _PREAMBLE.match(line)), "")
    if _DEFINITION.match(first):
        return True
    code_lines = sum(_CODE_LINE.search(line) is not None for line in lines)
    return code_lines >= _LEAST_CODE_LINES and code_lines >= _CODE_SHARE * len(lines)
