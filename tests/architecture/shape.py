"""What the shape test looks for, as functions from a parsed file to the faults that it has."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

LINES_IN_A_FILE = 400
LINES_IN_A_FUNCTION = 40
BRANCHES = 10
PARAMETERS = 5

Function = ast.FunctionDef | ast.AsyncFunctionDef
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_BRANCHES = (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler)
_BROAD = {"Exception", "BaseException"}
# These reach processes and sockets without an import that the walls would see.
_REACHES_OUT = {
    "anyio": {"run_process", "open_process", "connect_tcp", "connect_unix", "create_tcp_listener", "getaddrinfo"},
    "asyncio": {"create_subprocess_exec", "create_subprocess_shell", "open_connection", "start_server"},
    "os": {"system", "popen", "fork", "forkpty", "posix_spawn", "startfile", "execv", "execve", "execvp", "execvpe"},
}


class Source:
    """One parsed file."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.lines = text.splitlines()
        self.tree = ast.parse(text)
        self.nodes = list(ast.walk(self.tree))

    @property
    def exempt(self) -> bool:
        """Whether the first line says `# shape: why`."""
        return bool(self.lines) and re.match(r"# shape: \S", self.lines[0]) is not None

    @property
    def functions(self) -> list[Function]:
        """Every function, methods and inner ones included."""
        return [node for node in self.nodes if isinstance(node, _FUNCTIONS)]

    def line(self, node: ast.stmt | ast.expr | ast.ExceptHandler) -> str:
        """Return the line on which `node` begins."""
        return self.lines[node.lineno - 1]

    def has_reason(self, node: ast.stmt | ast.expr | ast.ExceptHandler) -> bool:
        """Whether the line of `node` ends in a comment in words, not in switches of a tool alone."""
        _, mark, comment = self.line(node).partition("  # ")
        words = re.sub(r"(noqa|type): ?\S+(, ?\S+)*", "", comment)
        return bool(mark) and re.search(r"[a-z]{3}", words) is not None


def length(function: Function) -> int:
    """Return the lines of a function, signature included, docstring left out."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    if ast.get_docstring(function, clean=False) is not None:
        docstring = function.body[0]
        lines -= (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1
    return lines


def own_nodes(function: Function) -> Iterator[ast.AST]:
    """Yield what stands in a function but not in the functions and classes inside it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (*_FUNCTIONS, ast.ClassDef, ast.Lambda)):
            waiting.extend(ast.iter_child_nodes(node))


def complexity(function: Function) -> int:
    """Return McCabe's number: one more than the places where the path divides; a condition counts once."""
    nodes = list(own_nodes(function))
    branches = sum(isinstance(node, _BRANCHES) for node in nodes)
    filters = sum(len(node.ifs) for node in nodes if isinstance(node, ast.comprehension))
    return 1 + branches + filters + sum(len(node.cases) - 1 for node in nodes if isinstance(node, ast.Match))


def positional(function: Function) -> int:
    """Return how many parameters may be given by position, `self` and `cls` left out."""
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def long_files(source: Source) -> Iterator[str]:
    """Find a file that is too long."""
    if len(source.lines) > LINES_IN_A_FILE:
        yield f"{source.path}: {len(source.lines)} lines, at most {LINES_IN_A_FILE}"


def long_functions(source: Source) -> Iterator[str]:
    """Find functions that are too long."""
    for function in source.functions:
        if length(function) > LINES_IN_A_FUNCTION:
            yield f"{source.path}:{function.lineno}: {function.name} has {length(function)} lines"


def tangled_functions(source: Source) -> Iterator[str]:
    """Find functions with too many branches."""
    for function in source.functions:
        if complexity(function) > BRANCHES:
            yield f"{source.path}:{function.lineno}: {function.name} has complexity {complexity(function)}"


def wide_functions(source: Source) -> Iterator[str]:
    """Find functions that take too much by position."""
    for function in source.functions:
        if positional(function) > PARAMETERS:
            yield f"{source.path}:{function.lineno}: {function.name} takes {positional(function)} by position"


def unexplained_deferred_imports(source: Source) -> Iterator[str]:
    """Find imports inside functions that give no reason; one reason serves the imports right below it."""
    for function in source.functions:
        deferred = [node for node in own_nodes(function) if isinstance(node, ast.Import | ast.ImportFrom)]
        explained: set[int] = set()
        for node in sorted(deferred, key=lambda node: node.lineno):
            if source.has_reason(node) or node.lineno - 1 in explained:
                explained.add(node.end_lineno or node.lineno)
            else:
                yield f"{source.path}:{node.lineno}: a deferred import gives its reason on its line"


def careless_ignores(source: Source) -> Iterator[str]:
    """Find `type: ignore` without a code or without a reason."""
    for number, line in enumerate(source.lines, start=1):
        found = re.search(r"# type: ignore(\[[\w, -]+\])?(.*)", line)
        if found and not found.group(1):
            yield f"{source.path}:{number}: a type is ignored without naming the code"
        elif found and not re.search(r"[a-z]{3}", found.group(2)):
            yield f"{source.path}:{number}: a type is ignored without a reason"


def prints(source: Source) -> Iterator[str]:
    """Find `print`, which only the module that owns stdout may call."""
    for node in source.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield f"{source.path}:{node.lineno}: print"


def broad_excepts(source: Source) -> Iterator[str]:
    """Find handlers that catch everything."""
    for node in source.nodes:
        if isinstance(node, ast.ExceptHandler) and _is_broad(node):
            yield f"{source.path}:{node.lineno}: {source.line(node).strip()}"


def _is_broad(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    return any(isinstance(node, ast.Name) and node.id in _BROAD for node in ast.walk(handler.type))


def unexplained_broad_excepts(source: Source) -> Iterator[str]:
    """Find handlers that catch everything and do not say why."""
    for node in source.nodes:
        if isinstance(node, ast.ExceptHandler) and _is_broad(node) and not source.has_reason(node):
            yield f"{source.path}:{node.lineno}: a broad except gives its reason on its line"


def processes_and_sockets(source: Source) -> Iterator[str]:
    """Find calls that start a process or open a socket without an import of their own."""
    for node in source.nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.attr in _REACHES_OUT.get(node.value.id, ()):
                yield f"{source.path}:{node.lineno}: {node.value.id}.{node.attr}"
        elif isinstance(node, ast.ImportFrom):
            for name in node.names:
                if name.name in _REACHES_OUT.get(node.module or "", ()):
                    yield f"{source.path}:{node.lineno}: {node.module}.{name.name}"


def heavy_init(source: Source) -> Iterator[str]:
    """Find anything but a docstring in a package's `__init__`; the root may carry `__version__`."""
    if source.path.name != "__init__.py":
        return
    if ast.get_docstring(source.tree) is None:
        yield f"{source.path}: a package says in a docstring what it is"
    for node in source.tree.body[1:]:
        version = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__version__"
        if not (version and source.path.parent.name == "ourcli"):
            yield f"{source.path}:{node.lineno}: a package's __init__ holds a docstring only"
