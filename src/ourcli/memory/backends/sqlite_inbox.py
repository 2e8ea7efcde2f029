"""The inbox in the store's SQLite file."""

import json
import sqlite3
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from anyio import to_thread

from ourcli.memory.backends.database import Database
from ourcli.memory.backends.sqlite_values import microseconds, moment
from ourcli.memory.inbox import Proposal, Verdict
from ourcli.memory.layers import Layer
from ourcli.memory.ledger import SourceDigest, Verb
from ourcli.memory.policy.action import Action

SCHEMA = """
CREATE TABLE IF NOT EXISTS inbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    at_us INTEGER NOT NULL,
    same TEXT NOT NULL UNIQUE,
    action TEXT NOT NULL,
    versions TEXT NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('waiting', 'accepted', 'rejected'))
) STRICT;
CREATE TABLE IF NOT EXISTS inbox_records (
    record_id TEXT NOT NULL,
    proposal INTEGER NOT NULL,
    PRIMARY KEY (record_id, proposal)
) STRICT, WITHOUT ROWID;
"""
_COLUMNS = "id, at_us, action, versions, verdict"


class SqliteInbox:
    """An `Inbox`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def propose(self, proposals: Sequence[Proposal]) -> tuple[Proposal, ...]:
        """Keep proposals durably; return those that are new."""
        return await to_thread.run_sync(self._propose, proposals)

    def _propose(self, proposals: Sequence[Proposal]) -> tuple[Proposal, ...]:
        new = []
        with self._database.writing() as connection:
            for one in proposals:
                same = _same(one)
                _drop(connection, "same = ? AND verdict = 'accepted'", same)
                done = connection.execute(
                    "INSERT OR IGNORE INTO inbox (id, at_us, same, action, versions, verdict)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    (
                        one.id,
                        microseconds(one.at),
                        same,
                        _action_to_json(one.action),
                        json.dumps([[version.id, version.sha256] for version in one.versions]),
                        one.verdict.value,
                    ),
                )
                if done.rowcount:
                    new.append(one)
                    records = [(record_id, done.lastrowid) for record_id in dict.fromkeys(one.action.record_ids)]
                    connection.executemany("INSERT INTO inbox_records VALUES (?, ?)", records)
        return tuple(new)

    async def waiting(self) -> list[Proposal]:
        """Return what waits, oldest first."""
        return await to_thread.run_sync(self._select, "WHERE verdict = 'waiting' ORDER BY seq", ())

    async def proposal(self, proposal_id: str) -> Proposal | None:
        """Return one proposal, or None."""
        found = await to_thread.run_sync(self._select, "WHERE id = ?", (proposal_id,))
        return found[0] if found else None

    def _select(self, clause: str, values: tuple[str, ...]) -> list[Proposal]:
        with self._database.reading() as connection:
            rows = connection.execute(f"SELECT {_COLUMNS} FROM inbox {clause}", values).fetchall()  # noqa: S608
        return [_proposal(row) for row in rows]

    async def decide(self, proposal_id: str, verdict: Verdict) -> bool:
        """Note what became of a proposal, durably; False when it did not wait any more."""

        def write() -> bool:
            with self._database.writing() as connection:
                if verdict is Verdict.STALE:
                    return _drop(connection, "id = ? AND verdict = 'waiting'", proposal_id)
                done = connection.execute(
                    "UPDATE inbox SET verdict = ? WHERE id = ? AND verdict = 'waiting'", (verdict.value, proposal_id)
                )
                return done.rowcount == 1

        return await to_thread.run_sync(write)


def _drop(connection: sqlite3.Connection, where: str, value: str) -> bool:
    """Remove a proposal, so that the same effect can be proposed again; False when there is none."""
    row = connection.execute(f"SELECT seq FROM inbox WHERE {where}", (value,)).fetchone()  # noqa: S608  # constants
    if row is None:
        return False
    connection.execute("DELETE FROM inbox WHERE seq = ?", row)
    connection.execute("DELETE FROM inbox_records WHERE proposal = ?", row)
    return True


def _same(proposal: Proposal) -> str:
    """Return what is equal for the same effect of the same rule on the same versions of the same records."""
    action = proposal.action
    versions = sorted([one.id, one.sha256] for one in proposal.versions)
    key = json.dumps([action.rule, action.rule_version, action.verb.value, action.target, versions])
    return sha256(key.encode()).hexdigest()


def _action_to_json(action: Action) -> str:
    return json.dumps(
        {
            "rule": action.rule,
            "rule_version": action.rule_version,
            "verb": action.verb.value,
            "record_ids": action.record_ids,
            "origin": action.origin.value,
            "target": None if action.target is None else action.target.value,
            "because": action.because,
            "inputs": dict(action.inputs),
            "distil": action.distil,
            "tags": action.tags,
        }
    )


def _proposal(row: tuple[Any, ...]) -> Proposal:
    proposal_id, at_us, action, versions, verdict = row
    cells = json.loads(action)
    return Proposal(
        id=proposal_id,
        at=moment(at_us),
        action=Action(
            rule=cells["rule"],
            rule_version=cells["rule_version"],
            verb=Verb(cells["verb"]),
            record_ids=tuple(cells["record_ids"]),
            origin=Layer(cells["origin"]),
            target=None if cells["target"] is None else Layer(cells["target"]),
            because=cells["because"],
            inputs=cells["inputs"],
            distil=cells["distil"],
            tags=tuple(cells["tags"]),
        ),
        versions=tuple(SourceDigest(id=record_id, sha256=digest) for record_id, digest in json.loads(versions)),
        verdict=Verdict(verdict),
    )
