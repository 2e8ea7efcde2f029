"""Secrets are found by a kept library of some 490 token shapes (Kingfisher) and by our own rules.

Scanning never touches the network: the library's validation of what it found is another call, which is never made.
Its rules take seconds to compile, once, and half a second to load, so they are loaded for the first text that holds
anything like a token; most notes never need them.
"""

import logging
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from anyio import to_thread

from ourcli.common.errors import StoreError
from ourcli.common.files import ensure_private_folder
from ourcli.memory.ports import Redacted
from ourcli.memory.secrets import Secret, is_dummy, merged, replaced, secrets_in

if TYPE_CHECKING:
    from kingfisher_sdk import DetectionScanner

_log = logging.getLogger(__name__)
_SHORTEST = 6
_RUN = re.compile(r"[A-Za-z0-9_+/=.~-]{16,}")
_PLAIN_RUN = re.compile(
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"  # a UUID
    r"|[A-Za-z_-]+|[0-9_.:+-]+"
    r"|(?:[A-Za-z]{0,20}\d{0,4}[/._=-])*[A-Za-z]{0,20}\d{0,4}[.]?"  # words, numbers and paths
)
_HEX_RUN = re.compile(r"[0-9a-f]{16,128}")
_TELLING = ("key", "token", "secret", "pass", "auth", "api", "credential", "client")
_MIXED_CASE = re.compile(r"[A-Za-z0-9_-]{20,}")
_IMAGE = re.compile(r"data:[\w.+/-]+;base64,[A-Za-z0-9+/=\s]{64,}")
_VAGUE = ("generic-", "curl-")


class KingfisherRedactor:
    """Replaces secrets in texts (`Redactor`).

    Args:
        cache: Folder of the compiled rules; it holds nothing of anybody's texts.
    """

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._lock = Lock()
        self._scanner: DetectionScanner | None = None

    async def redact(self, texts: Sequence[str]) -> list[Redacted]:
        """Return the texts with `[secret: KIND]` in the place of every secret, and the kinds that each held.

        Raises:
            StoreError: The library cannot run here.
        """
        return await to_thread.run_sync(lambda: [self._redact(text) for text in texts])

    async def prepare(self) -> None:
        """Compile the library's rules, unless that was done before: it takes some seconds, once.

        Raises:
            StoreError: The library cannot run here.
        """
        if not self._cache.is_dir() or not any(self._cache.iterdir()):
            await to_thread.run_sync(self._loaded)

    def _redact(self, text: str) -> Redacted:
        found = secrets_in(text)
        if may_hold_token(text):
            found += self._scanned(text)
        if not found:
            return Redacted(text=text)
        whole = merged(found)
        kinds = tuple(dict.fromkeys(secret.kind for secret in whole))
        return Redacted(text=replaced(text, whole), found=kinds)

    def _scanned(self, text: str) -> Iterator[Secret]:
        data = text.encode("utf-8", "replace")
        images = [match.span() for match in _IMAGE.finditer(text)]
        for finding in self._loaded().scan(data):
            name = finding.rule_id.removeprefix("betterleaks.").rpartition("/")[2]
            if not finding.visible or len(finding.secret) < _SHORTEST or is_dummy(finding.secret):
                continue
            place = finding.location
            start = len(data[: place["start_offset"]].decode("utf-8", "replace"))
            end = start + len(data[place["start_offset"] : place["end_offset"]].decode("utf-8", "replace"))
            if not any(first <= start and end <= last for first, last in images):
                yield Secret(start=start, end=end, kind=_kind(name), vague=name.startswith(_VAGUE))

    def _loaded(self) -> "DetectionScanner":
        with self._lock:
            if self._scanner is None:
                self._scanner = self._load()
            return self._scanner

    def _load(self) -> "DetectionScanner":
        try:
            from kingfisher_sdk import DetectionScanner, Rules  # deferred: a native module that few commands need

            ensure_private_folder(self._cache)
            if not any(self._cache.iterdir()):
                _log.info("compiling the rules that find secrets; this takes some seconds, once")
            rules = Rules(confidence="medium", cache_dir=self._cache)
            return DetectionScanner(rules, inline_ignores=False)
        except (ImportError, OSError, RuntimeError, ValueError) as exc:
            raise StoreError(
                f"the detector of secrets cannot run here: {exc}",
                hint="--allow-secrets stores texts as they are, secrets included",
            ) from exc


def may_hold_token(text: str) -> bool:
    """Say whether a text holds a run of letters and digits that the library's rules might know.

    Words, numbers, paths, UUIDs, and digests with no telling word anywhere in the text, are none.
    """
    for match in _RUN.finditer(text):
        run = match[0]
        if _PLAIN_RUN.fullmatch(run):
            if _MIXED_CASE.fullmatch(run) and _is_mixed(run):
                return True
        elif not _HEX_RUN.fullmatch(run) or any(word in text.lower() for word in _TELLING):
            return True
    return False


def _is_mixed(run: str) -> bool:
    """Say whether letters change their case too often for a name: about every third of letters made by chance."""
    changes = sum(one.isupper() != other.isupper() for one, other in pairwise(run))
    return changes * 3 > len(run)


def _kind(name: str) -> str:
    return "url-password" if name == "generic-credential-uri" else name.removesuffix(".1")
