"""What the tests of this folder stand on: wheels made on the spot, a hub on loopback, registries of a few bytes."""

import hashlib
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import tomlkit

from ourcli.ai.models.machine import Machine
from ourcli.ai.models.registry import Registry, parse_registry
from ourcli.ai.models.spec import ModelSpec

COMMIT = "a" * 40
LAPTOP = Machine(cores=2, memory_bytes=16_000_000_000)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def wheel(folder: Path, package: str, version: str, members: Mapping[str, bytes]) -> Path:
    """Write a wheel that pip accepts."""
    name = f"{package.replace('-', '_')}-{version}"
    path = folder / f"{name}-py3-none-any.whl"
    facts = {
        f"{name}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n".encode(),
        f"{name}.dist-info/WHEEL": b"Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{name}.dist-info/RECORD": b"",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in {**members, **facts}.items():
            archive.writestr(member, data)
    return path


def wheel_source(package: str = "brain", member: str = "brain/model.gguf", **more: Any) -> dict[str, Any]:
    return {"kind": "wheel", "package": package, "version": "1.0", "member": member, **more}


def hub_source(repo: str = "someone/brain", file: str = "model.gguf", **more: Any) -> dict[str, Any]:
    return {"kind": "hub", "repo": repo, "file": file, **more}


def path_source(path: Path) -> dict[str, Any]:
    return {"kind": "path", "path": str(path)}


def model_file(data: bytes, *sources: dict[str, Any], name: str = "model.gguf", pinned: bool = True) -> dict[str, Any]:
    digest = {"sha256": sha256(data)} if pinned else {}
    return {"name": name, "bytes": len(data), **digest, "sources": list(sources)}


def registry_text(*files: dict[str, Any], identifier: str = "brain", **more: Any) -> str:
    model = {
        "id": identifier,
        "kind": "llm",
        "format": "gguf",
        "about": "a model of the tests",
        "licence": "Apache-2.0",
        "memory_bytes": 1_000,
        "context_tokens": 100,
        "capability": "assistant",
        "files": list(files),
        **more,
    }
    return tomlkit.dumps({"models": [model]})


def registry_of(*files: dict[str, Any], identifier: str = "brain", **more: Any) -> Registry:
    return parse_registry(registry_text(*files, identifier=identifier, **more))


def spec_of(*files: dict[str, Any], **more: Any) -> ModelSpec:
    return registry_of(*files, **more).get("brain")


@dataclass
class FakeHub:
    """A hub on loopback that answers as the real one does.

    Attributes:
        files: By `<repo>/<file>`.
        gets: Paths of the downloads it served, with their Range header.
        announce_digest: Send the sha256 as the hub does for large files.
        stop_after: Close the connection after so many bytes of the next download.
        redirect_to: Send downloads elsewhere.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    commit: str = COMMIT
    gets: list[tuple[str, str]] = field(default_factory=list)
    announce_digest: bool = True
    stop_after: int | None = None
    redirect_to: str = ""
    endpoint: str = ""
    got_request: threading.Event = field(default_factory=threading.Event)
    may_answer: threading.Event = field(default_factory=threading.Event)
    may_look: threading.Event = field(default_factory=threading.Event)


class _Handler(BaseHTTPRequestHandler):
    hub: FakeHub

    def do_HEAD(self) -> None:
        self.hub.may_look.wait(30)
        found = self._find()
        if found is None:
            return
        self.send_response(302 if self.hub.redirect_to else 200)
        self._facts(found)
        if self.hub.redirect_to:
            self.send_header("Location", self.hub.redirect_to)
            self.send_header("X-Linked-Size", str(len(found)))
        else:
            self.send_header("Content-Length", str(len(found)))
        self.end_headers()

    def do_GET(self) -> None:
        found = self._find()
        if found is None:
            return
        wanted = self.headers.get("Range", "")
        self.hub.gets.append((self.path, wanted))
        self.hub.got_request.set()
        self.hub.may_answer.wait(30)
        if self.hub.redirect_to:
            self.send_response(302)
            self.send_header("Location", self.hub.redirect_to)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        self.send_response(206 if wanted else 200)
        self._facts(found)
        self.send_header("Content-Length", str(len(found) - start))
        self.end_headers()
        stop, self.hub.stop_after = self.hub.stop_after, None
        with suppress(ConnectionError):  # a client that was told to stop
            self.wfile.write(found[start:] if stop is None else found[start : start + stop])
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Keep quiet."""

    def _find(self) -> bytes | None:
        repo, _, rest = self.path.lstrip("/").partition("/resolve/")
        _revision, _, file = rest.partition("/")
        found = self.hub.files.get(f"{repo}/{file}")
        if found is None:
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
        return found

    def _facts(self, data: bytes) -> None:
        self.send_header("X-Repo-Commit", self.hub.commit)
        self.send_header("ETag", f'"{sha256(data) if self.hub.announce_digest else "b" * 40}"')


@contextmanager
def serve_hub(**files: bytes) -> Iterator[FakeHub]:
    """Run a hub with files of `someone/brain`; dots in their names are written as `__`."""
    hub = FakeHub(files={f"someone/brain/{name.replace('__', '.')}": data for name, data in files.items()})
    hub.may_answer.set()
    hub.may_look.set()
    handler = type("Handler", (_Handler,), {"hub": hub})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        hub.endpoint = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield hub
        finally:
            hub.may_answer.set()
            hub.may_look.set()
            server.shutdown()
            thread.join()
