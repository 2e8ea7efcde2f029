"""What a file is, by its name."""

from enum import StrEnum
from pathlib import Path


class Format(StrEnum):
    """How a file's text is cut."""

    MARKDOWN = "markdown"
    HTML = "html"
    TEXT = "text"
    CODE = "code"
    PDF = "pdf"
    DOCX = "docx"
    PPTX = "pptx"
    XLSX = "xlsx"


_MARKDOWN = frozenset({".md", ".markdown", ".mdx", ".mkd", ".qmd", ".rmd"})
_HTML = frozenset({".html", ".htm", ".xhtml"})
DOCUMENTS = frozenset({Format.PDF, Format.DOCX, Format.PPTX, Format.XLSX})
"""Formats that are no text: a converter reads them."""
_DOCUMENT_SUFFIXES = {f".{form}": form for form in DOCUMENTS} | {".docm": Format.DOCX, ".xlsm": Format.XLSX}

_LANGUAGES = {
    "bash": ".sh .bash .zsh .bats",
    "c": ".c .h",
    "c_sharp": ".cs",
    "cpp": ".cc .cpp .cxx .c++ .hh .hpp .hxx .h++ .ipp .cu",
    "go": ".go",
    "java": ".java",
    "javascript": ".js .jsx .mjs .cjs",
    "php": ".php .phtml",
    "python": ".py .pyi .pyw",
    "ruby": ".rb .rake .gemspec",
    "rust": ".rs",
    "tsx": ".tsx",
    "typescript": ".ts .mts .cts",
}
_BY_SUFFIX = {suffix: language for language, suffixes in _LANGUAGES.items() for suffix in suffixes.split()}
_BY_NAME = {"rakefile": "ruby", "gemfile": "ruby", "pkgbuild": "bash"}

_OTHER_CODE = (
    *(".sql", ".css", ".scss", ".less", ".vue", ".svelte", ".graphql", ".proto", ".wat"),
    *(".kt", ".kts", ".swift", ".scala", ".groovy", ".gradle", ".dart", ".m", ".mm", ".zig", ".nim", ".f90", ".s"),
    *(".lua", ".pl", ".pm", ".r", ".jl", ".ex", ".exs", ".erl", ".hs", ".ml", ".clj"),
    *(".ps1", ".bat", ".fish", ".tf", ".cmake", ".mk", ".vhd"),
)
_CODE_NAMES = frozenset({"makefile", "dockerfile", "containerfile", "justfile", "cmakelists.txt", "jenkinsfile"})


def language(path: Path) -> str | None:
    """Return the grammar to cut the file by, or None."""
    return _BY_NAME.get(path.name.lower()) or _BY_SUFFIX.get(path.suffix.lower())


def kind(path: Path) -> str:
    """Return `code` for source code, `document` for the rest."""
    known = path.suffix.lower() in _OTHER_CODE or path.name.lower() in _CODE_NAMES
    return "code" if known or language(path) else "document"


def format_of(path: Path) -> Format:
    """Return how the file is cut; what is not known is cut as text."""
    suffix = path.suffix.lower()
    if suffix in _MARKDOWN:
        return Format.MARKDOWN
    if suffix in _HTML:
        return Format.HTML
    if suffix in _DOCUMENT_SUFFIXES:
        return _DOCUMENT_SUFFIXES[suffix]
    return Format.CODE if language(path) else Format.TEXT
