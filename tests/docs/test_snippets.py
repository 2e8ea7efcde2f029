"""README and guide say what really happens: their commands are run, with real models, in a home of their own."""

import codecs
import io
import os
import shlex
import shutil
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from string import Template

import click
import pytest

from ourcli.cli.main import execute, root
from ourcli.config.load import load
from ourcli.config.locations import Home
from ourcli.core.recipe import parse
from ourcli.memory.policy.check import check
from ourcli.memory.policy.reading import validate_rules
from tests.docs.pages import ROOT, RUNNABLE, Snippet, absent, examples, mentioned_commands, pages, section, snippets
from tests.promises import promise

SMALL = "SmolLM2-135M-Instruct"
Perform = Callable[[Snippet], list[str]]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder in which snippets run: the project's own pages and a settings file."""
    folder = tmp_path / "project"
    shutil.copytree(ROOT / "docs", folder / "docs")
    shutil.copy(ROOT / "README.md", folder)
    (folder / "settings.ini").write_text("[service]\nport = 8421\nretries = 5\n", encoding="utf-8")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def models(tmp_path: Path, minilm: Path, smollm: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a models folder of this test's own, so that `setup` chooses for nobody else."""
    folder = tmp_path / "models"
    folder.mkdir()
    for installed in (minilm, smollm.parent):
        (folder / installed.name).symlink_to(installed, target_is_directory=True)
    monkeypatch.setenv("OURCLI_PATHS_MODELS", str(folder))
    monkeypatch.setenv("OURCLI_AI_LLM_MODEL", SMALL)
    return folder


@pytest.fixture
def perform(project: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> Perform:
    """Return a function that runs a snippet in this process and says what is wrong with it."""
    variables: dict[str, str] = {}

    def call(snippet: Snippet) -> list[str]:
        if snippet.command.startswith("grep "):
            return _grep_finds_nothing(shlex.split(snippet.command))
        before, _, command = Template(snippet.command).safe_substitute(variables).rpartition("| ")
        out, err = io.StringIO(), io.StringIO()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", io.StringIO(_piped(before)))
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            code = execute(shlex.split(command)[1:])
        variables[snippet.kept_as] = out.getvalue().strip()
        said = out.getvalue() + err.getvalue()
        wrong = [f"ended with {code}"] if code else []
        wrong += [f"no line like: {line}" for line in absent(snippet.expected, said)]
        return [f"$ {snippet.command}", *wrong, said] if wrong else []

    return call


def _grep_finds_nothing(words: list[str]) -> list[str]:
    """Return the files of the home that hold the bytes of `grep -r TEXT ~/.ourcli`: a page says that there are none."""
    program, option, text, place = words
    assert (option, place) == ("-r", "~/.ourcli"), f"cannot run {words!r}"
    files = [path for path in Path(os.environ["OURCLI_HOME"]).rglob("*") if path.is_file()]
    assert files
    return [f"{program} finds it in {path}" for path in files if text.encode() in path.read_bytes()]


def _piped(command: str) -> str:
    """Return what `echo`, `printf` or `cat` before a pipe would write, "" without one."""
    if not command.strip():
        return ""
    program, *words = shlex.split(command)
    if program == "cat":
        return "".join(Path(word).read_text("utf-8") for word in words)
    assert program in ("echo", "printf"), f"cannot run {program!r} before a pipe"
    return codecs.decode(words[0], "unicode_escape") if program == "printf" else " ".join(words) + "\n"


@promise("release.docs.snippets")
@pytest.mark.models
@pytest.mark.parametrize("page", RUNNABLE, ids=lambda page: page.name)
def test_every_command_of_a_page_works_and_prints_what_the_page_shows(page: Path, perform: Perform) -> None:
    written = snippets(page.read_text("utf-8"))

    wrong = [line for snippet in written for line in perform(snippet)]

    assert written
    assert not wrong, "\n".join(wrong)


@promise("memory.guide.story")
@pytest.mark.models
def test_the_guide_tells_the_whole_life_of_a_decision_and_all_of_it_happens(perform: Perform) -> None:
    story = section((ROOT / "docs" / "guide" / "memory.md").read_text("utf-8"), "A day in the life of a decision")
    told = snippets(story)

    wrong = [line for snippet in told for line in perform(snippet)]

    assert [" ".join(shlex.split(snippet.command)[1:3]) for snippet in told] == [
        *("memory add", "memory search"),
        *("memory policy", "memory policy", "memory search"),
        "memory why",
        *("memory undo", "memory get"),
        *("memory forget", "memory vacuum", "memory list", "-r Kestrel"),
    ]
    assert not wrong, "\n".join(wrong)


def test_bytes_that_are_left_are_noticed(home: Path) -> None:
    home.mkdir()
    (home / "left").write_bytes(b"\0\1Kestrel\2")

    assert _grep_finds_nothing(["grep", "-r", "Kestrel", "~/.ourcli"]) == [f"grep finds it in {home / 'left'}"]
    assert _grep_finds_nothing(["grep", "-r", "Falcon", "~/.ourcli"]) == []


@promise("release.docs.snippets")
def test_a_line_that_is_not_printed_is_noticed() -> None:
    expected = ("[1] insights  1.00  We decided …", "3 files read, … chunks")

    assert absent(expected, "[1] insights  0.98  We decided to wait\n3 files read, 12 new chunks\n") == []
    assert absent(expected, "[2] insights  0.98  We decided to wait\n4 files read, 12 new chunks") == list(expected)


def test_what_a_command_prints_can_be_kept_for_the_next_one() -> None:
    page = '```console\n$ ID=$(ourcli memory add "x")\n$ ourcli memory why $ID\n…\n```\n'

    assert snippets(page) == [
        Snippet(command='ourcli memory add "x"', expected=(), kept_as="ID"),
        Snippet(command="ourcli memory why $ID", expected=("…",)),
    ]
    assert mentioned_commands(page) == ['ourcli memory add "x"', "ourcli memory why $ID"]


def test_of_a_block_in_which_a_model_speaks_only_citations_and_gaps_are_expected() -> None:
    page = "```console model\n$ ourcli ask why\nBecause.\n\n[1] insights  1.00  It was decided\n… done\n```\n"

    (snippet,) = snippets(page)

    assert snippet == Snippet(command="ourcli ask why", expected=("[1] insights  1.00  It was decided", "… done"))


@promise("release.docs.examples")
def test_the_recipe_of_the_guide_can_run() -> None:
    (example,) = examples((ROOT / "docs" / "guide" / "recipes.md").read_text("utf-8"))

    recipe = parse(example, file="review-notes.toml", origin="guide")

    assert [step.kind for step in recipe.steps] == ["recall", "prompt", "generate", "remember"]


@promise("release.docs.examples")
def test_the_configuration_of_the_guide_loads(tmp_path: Path) -> None:
    (example,) = examples((ROOT / "docs" / "guide" / "configuration.md").read_text("utf-8"))
    (tmp_path / "config.toml").write_text(example, encoding="utf-8")

    loaded = load(Home(tmp_path), {}, tmp_path)

    assert loaded.settings.ai.max_ctx_tokens == 4096
    assert loaded.settings.ingest.exclude == ("drafts/", "*.csv")


@promise("release.docs.examples")
def test_the_rules_of_the_guide_are_valid_and_get_along() -> None:
    (example,) = examples((ROOT / "docs" / "guide" / "memory.md").read_text("utf-8"))

    rules = validate_rules(tomllib.loads(example)["memory"]["rules"])

    assert [rule.name for rule in rules] == ["keep-what-is-asked-for", "expire-interact"]
    assert check(rules) == ()


@promise("release.docs.commands")
@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_mentions_exists_with_its_options(page: Path) -> None:
    unknown = [fault for command in mentioned_commands(page.read_text("utf-8")) for fault in _faults(command)]

    assert unknown == []


def _faults(mentioned: str) -> list[str]:
    words = mentioned.partition(" | ")[0].split()[1:]
    command: click.Command = root
    context = root.make_context("ourcli", [], resilient_parsing=True)
    while words and isinstance(command, click.Group) and not words[0].startswith("-"):
        inner = command.get_command(context, words[0])
        if inner is None:
            return [f"{mentioned}: no command {words[0]!r}"] if words[0].isalpha() and words[0].islower() else []
        command, words = inner, words[1:]
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    known |= {"--help", "--version"}
    flags = [word.partition("=")[0].rstrip(".,;:") for word in words if word.startswith("--") and len(word) > 2]
    return [f"{mentioned}: no option {flag}" for flag in flags if flag not in known]
