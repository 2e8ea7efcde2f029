"""Moves of memory for people and programs: actions that are due, entries of the ledger."""

from collections.abc import Iterable, Mapping, Sequence

from ourcli.cli.invocation import Invocation
from ourcli.common.jsondata import Json, iso_milliseconds, to_json
from ourcli.memory.ledger import Image, LedgerEntry
from ourcli.memory.policy.action import Action

SHORT_DIGEST = 12
USER = "user"
_VERBS: Mapping[str, str] = {
    "promote": "promoted",
    "demote": "demoted",
    "summarise": "summarised",
    "expire": "expired",
    "tag": "tagged",
    "pin": "pinned",
    "unpin": "unpinned",
    "undo": "taken back",
}


def entry_data(entry: LedgerEntry) -> dict[str, object]:
    """Return a ledger entry with the keys of CLI.md; records stand in it without their vectors."""
    return {
        "id": entry.id,
        "verb": entry.verb,
        "rule": entry.rule,
        "rule_version": entry.rule_version,
        "at": entry.at,
        "before": _records(entry.before),
        "after": _records(entry.after),
        "touched": entry.touched,
        "layers": entry.layers,
        "inputs": entry.inputs,
        "sources": entry.sources,
        "trace_id": entry.trace_id,
        "undoes": entry.undoes,
        "undone_by": entry.undone_by,
    }


def _records(images: Iterable[Image]) -> list[object]:
    return [image.record for image in images]


def action_data(action: Action) -> list[dict[str, object]]:
    """Return an action with the keys of CLI.md: one object a record, so that `record_id` is always one."""
    return [
        {
            "rule": action.rule,
            "rule_version": action.rule_version,
            "verb": action.verb,
            "record_id": record_id,
            "from": action.origin,
            "to": action.target,
            "because": action.because,
            "tags": action.tags,
            "together_with": [other for other in action.record_ids if other != record_id],
        }
        for record_id in action.record_ids
    ]


def actions_data(actions: Iterable[Action]) -> list[dict[str, object]]:
    """Return actions as JSON data, in their order."""
    return [one for action in actions for one in action_data(action)]


def show_actions(invocation: Invocation, actions: Sequence[Action]) -> None:
    """Draw actions as a table, a line each."""
    rows = [
        (action.rule, action.verb.value, counted(action.record_ids), way(action), action.because) for action in actions
    ]
    invocation.output.table(("rule", "does", "record", "from > to", "because"), rows)


def counted(ids: Sequence[str]) -> str:
    """Return one id, or how many there are beside the first."""
    if not ids:
        return "-"
    return ids[0] if len(ids) == 1 else f"{ids[0]} and {len(ids) - 1} more"


def way(action: Action) -> str:
    """Return `from > to` of an action."""
    return f"{action.origin.value} > {action.target.value if action.target else '(gone)'}"


def ways(entry: LedgerEntry) -> str:
    """Return the distinct `from > to` of an entry."""
    found = dict.fromkeys(_way(before, after) for before, after in entry.layers.values())
    return ", ".join(found) or "-"


def _way(before: str | None, after: str | None) -> str:
    if before == after:
        return before or "-"
    return f"{before or '(new)'} > {after or '(gone)'}"


def show_entries(invocation: Invocation, entries: Sequence[LedgerEntry]) -> None:
    """Draw entries of the ledger as a table, a line each."""
    rows = [
        (
            entry.id,
            iso_milliseconds(entry.at),
            entry.verb.value,
            asked_by(entry),
            counted(entry.touched),
            ways(entry),
            "taken back" if entry.undone_by else "",
        )
        for entry in entries
    ]
    invocation.output.table(("id", "time", "move", "asked for by", "record", "from > to", "state"), rows)


def asked_by(entry: LedgerEntry) -> str:
    """Return who asked for it: you, or a rule with the beginning of its version."""
    return "you" if entry.rule == USER else f"{entry.rule} @{entry.rule_version[:SHORT_DIGEST]}"


def told(entry: LedgerEntry) -> list[str]:
    """Return an entry in a few lines: what happened, why, from what, and how to take it back."""
    lines = [f"{iso_milliseconds(entry.at)}  {_VERBS[entry.verb]} ({ways(entry)}) by {asked_by(entry)}"]
    if entry.inputs:
        lines.append(f"  because: {because(entry.inputs)}")
    lines += [f"  source: {source.id} sha256 {source.sha256[:SHORT_DIGEST]}…" for source in entry.sources]
    if entry.trace_id:
        lines.append(f"  trace: {entry.trace_id}")
    if entry.undoes:
        lines.append(f"  takes back: {entry.undoes}")
    after = f"  (taken back by {entry.undone_by})" if entry.undone_by else ""
    lines.append(f"  ledger id: {entry.id}{after}")
    return lines


def because(inputs: Mapping[str, object]) -> str:
    """Return why a move was made: the rule's sentence, or the facts as `age hours 33, older than hours 24`."""
    if isinstance(said := inputs.get("because"), str):
        return said
    return ", ".join(f"{name.replace('_', ' ')} {_plain(to_json(value))}" for name, value in inputs.items())


def _plain(value: Json) -> str:
    if isinstance(value, list):
        return "/".join(map(_plain, value)) or "none"
    if isinstance(value, dict):
        return "(" + ", ".join(f"{name} {_plain(inner)}" for name, inner in value.items()) + ")"
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
