"""Import LanceDB without the client of its REST namespaces.

`import lancedb` loads several hundred generated request and response classes of a REST client that local tables
never use: 1.4 of 2.5 s on two cores, at every start of a command that opens memory. Stand-ins take their place
while LanceDB is imported: names exist, so annotations and subclasses work, and whoever would really use one gets
an error that says so. A process that has loaded the real client keeps it.
"""

import os
import sys
import types
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec

_CLIENT = "lance_namespace_urllib3_client"


class _StandIn(types.ModuleType):
    """A package in which every name is an empty class."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__ = []

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        made = type(name, (), {"__init__": _refuse, "__module__": self.__name__})
        setattr(self, name, made)
        return made


def _refuse(self: object, *_: object, **__: object) -> None:
    raise NotImplementedError(f"{type(self).__name__}: REST namespaces are not loaded in ourcli")


class _Finder(MetaPathFinder, Loader):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        if fullname == _CLIENT or fullname.startswith(f"{_CLIENT}."):
            return ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        return _StandIn(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Do nothing: a stand-in has no code."""
        del module


@contextmanager
def _client_left_out() -> Iterator[None]:
    if _CLIENT in sys.modules:
        yield
        return
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


os.environ.setdefault("LANCEDB_LOG", "error")  # it warns on stderr where compaction gives way to a write, as it should
with _client_left_out():
    import lancedb
    from lancedb.index import FTS, Bitmap, BTree, HnswSq, IvfPq, IvfRq, IvfSq, LabelList
    from lancedb.query import MatchQuery

__all__ = ["FTS", "BTree", "Bitmap", "HnswSq", "IvfPq", "IvfRq", "IvfSq", "LabelList", "MatchQuery", "lancedb"]
