"""The Markdown pages of the project, and what tests read in them: snippets, links, mentioned commands."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_IN_A_SHELL = "plugins.md"
RUNNABLE = (
    ROOT / "README.md",
    *sorted(page for page in (ROOT / "docs" / "guide").glob("*.md") if page.name != _IN_A_SHELL),
)
"""Pages whose `console` blocks are run in the suite's own process; `test_plugin_guide.py` runs the other one."""

_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6}[ \t]+(?P<text>.+?)[ \t]*$", re.MULTILINE)
_KEPT = re.compile(r"(?P<name>[A-Z]+)=\$\((?P<command>.+)\)")
_CODE = re.compile(r"`(?P<code>ourcli [^`]+)`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """One command of a `console` block.

    Attributes:
        command: What stands behind `$ `, or within `$ NAME=$(…)`.
        expected: The lines below it, as far as a test can count on them.
        kept_as: The variable that takes what it prints, or "".
    """

    command: str
    expected: tuple[str, ...]
    kept_as: str = ""


def pages() -> list[Path]:
    """Return every Markdown file that git knows or could come to know."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def snippets(text: str) -> list[Snippet]:
    """Return the commands of all `console` blocks, in order.

    In a block that is marked `console model` a language model speaks: of its output only citations and lines
    with a `…` are expected.
    """
    found = []
    for fence in _FENCE.finditer(text):
        words = fence["info"].split()
        if words[:1] == ["console"]:
            found += _snippets_of(fence["body"], spoken="model" in words)
    return found


def _snippets_of(body: str, *, spoken: bool) -> list[Snippet]:
    found = []
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        command, *lines = part.splitlines()
        stable = [line for line in lines if not spoken or "…" in line or re.match(r"\[\d+\] ", line)]
        expected = tuple(line for line in stable if line.strip())
        kept = _KEPT.fullmatch(command)
        found.append(
            Snippet(command=kept["command"], expected=expected, kept_as=kept["name"])
            if kept
            else Snippet(command=command, expected=expected)
        )
    return found


def section(text: str, title: str) -> str:
    """Return the part of a page under the heading `title`, up to the next one."""
    _, _, behind = text.partition(f"## {title}\n")
    return behind.partition("\n## ")[0]


def absent(expected: tuple[str, ...], output: str) -> list[str]:
    """Return the expected lines that the output lacks.

    `…` stands for anything, white space for any white space, and a number with a point for any such number.
    """
    lines = [line.strip() for line in output.splitlines()]
    return [line for line in expected if not any(_pattern(line).fullmatch(one) for one in lines)]


def _pattern(line: str) -> re.Pattern[str]:
    pieces = re.split(r"(\s*…\s*|\s+|\d+\.\d+)", line.strip())
    return re.compile("".join(_piece(piece) for piece in pieces))


def _piece(piece: str) -> str:
    if "…" in piece:
        return ".*"
    if piece.isspace():
        return r"\s+"
    return r"\d+\.\d+" if re.fullmatch(r"\d+\.\d+", piece) else re.escape(piece)


def mentioned_commands(text: str) -> list[str]:
    """Return every `ourcli …` in inline code and in blocks for a shell."""
    inline = [" ".join(match["code"].split()) for match in _CODE.finditer(_FENCE.sub("", text))]
    blocks = [fence["body"] for fence in _FENCE.finditer(text) if fence["info"].split()[:1] in (["sh"], ["console"])]
    lines = [
        _KEPT.sub(r"\g<command>", line.removeprefix("$ ").strip()) for block in blocks for line in block.splitlines()
    ]
    return inline + [line for line in lines if line.startswith("ourcli ")]


def examples(text: str) -> list[str]:
    """Return the TOML files that a page shows."""
    return [fence["body"] for fence in _FENCE.finditer(text) if fence["info"].strip() == "toml"]


def links(text: str) -> list[str]:
    """Return the targets of all links that lead to another place of the project."""
    plain = _FENCE.sub("", text)
    return [match["target"] for match in _LINK.finditer(plain) if not re.match(r"[a-z]+:", match["target"])]


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as they are made of them on the web."""
    plain = _FENCE.sub("", text)
    return {re.sub(r"[^\w\- ]", "", match["text"]).lower().replace(" ", "-") for match in _HEADING.finditer(plain)}
