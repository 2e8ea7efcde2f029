"""The kinds of steps that recipes may use, with the names of what goes in and what comes out.

`app` registers one handler a kind; this table lets a misspelt input fail when the recipe is read and not
in the middle of a run.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StepKind:
    """What a step of this kind does.

    Attributes:
        purpose: In a few words, for `recipes show` and the reference.
        required: Inputs that must be given.
        optional: Inputs that may be given.
        outputs: What other steps can refer to.
        fixed: Inputs that must not come from another step: they decide what is done, and that is decided before
            anything is read that others wrote.
    """

    purpose: str
    required: frozenset[str]
    optional: frozenset[str]
    outputs: frozenset[str]
    fixed: frozenset[str] = frozenset()


def _kind(purpose: str, *, required: str, optional: str = "", outputs: str, fixed: str = "") -> StepKind:
    return StepKind(
        purpose=purpose,
        required=frozenset(required.split()),
        optional=frozenset(optional.split()),
        outputs=frozenset(outputs.split()),
        fixed=frozenset(fixed.split()),
    )


KINDS: Mapping[str, StepKind] = {
    "recall": _kind("search memory", required="query", optional="layers limit tags", outputs="hits"),
    "tool": _kind(
        "call the one tool that fits the question, when one does",
        required="question",
        outputs="results",
        fixed="question",
    ),
    "prompt": _kind(
        "pack rules, evidence, results of tools, conversation, attachments and question into the model's budget",
        required="question",
        optional="evidence results instruction",
        outputs="prompt",
    ),
    "generate": _kind(
        "answer with the language model, or quote the evidence, and check the answer",
        required="prompt",
        optional="question evidence results",
        outputs="answer",
    ),
    "remember": _kind(
        "store a statement, or a question with its answer",
        required="text",
        optional="answer layer kind tags",
        outputs="ids",
    ),
    "ingest": _kind("read files into memory", required="paths", outputs="report"),
}
"""Every kind of step that exists so far."""
