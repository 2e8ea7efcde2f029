"""The built-in tools through the real command line, with a person at a terminal and without."""

import sys

import pytest

from tests.promises import promise
from tests.support.process import CommandLine

if sys.platform != "win32":
    from tests.support.terminal import on_a_terminal

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="terminals of this kind are not on Windows"),
]


@promise("tools.builtin.files-read")
async def test_words_of_a_file_are_counted_once_its_folder_is_granted(ourcli: CommandLine) -> None:
    (ourcli.folder / "README.md").write_text("three words here\n")
    call = ("tools", "call", "fs.count", "--input", '{"path": "README.md"}', "--json")

    denied = ourcli.run(*call)
    granted = ourcli.run("tools", "grant", "fs.count", f"fs:read={ourcli.folder}")
    counted = ourcli.run(*call)

    assert (denied.code, f"{ourcli.folder}/README.md" in denied.err) == (4, True)
    assert granted.code == 0, granted.err
    assert counted.document["output"]["total"]["words"] == 3


@promise("tools.builtin.preview")
@promise("tools.undo.command")
async def test_a_change_is_shown_agreed_to_made_and_taken_back(ourcli: CommandLine) -> None:
    file = ourcli.folder / "app.py"
    file.write_text("retries = 3\n")
    given = '{"path": "app.py", "old": "3", "new": "5"}'

    alone = ourcli.run("tools", "call", "fs.edit", "--input", given)
    words = ourcli.words("tools", "call", "fs.edit", "--input", given)
    with on_a_terminal(words, folder=ourcli.folder, environment=ourcli.variables()) as terminal:
        terminal.wait_for("Grant it?")
        terminal.type("o\n")
        terminal.wait_for("-retries = 3")
        terminal.wait_for("+retries = 5")
        terminal.wait_for("Run it?")
        before = file.read_text()
        terminal.type("y\n")
        code = terminal.wait_for_the_end()
    after = file.read_text()
    listed = ourcli.run("undo", "list", "--json").document["changes"]
    undone = ourcli.run("undo", "--json")

    assert (alone.code, before, code, after) == (3, "retries = 3\n", 0, "retries = 5\n")
    assert [(one["tool"], one["path"]) for one in listed] == [("fs.edit", str(file))]
    assert undone.document["undone"][0]["path"] == str(file)
    assert file.read_text() == "retries = 3\n"


@promise("tools.builtin.memory")
async def test_what_a_tool_remembers_is_found_again_as_a_tools_word_without_its_secret(ourcli: CommandLine) -> None:
    token = "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
    text = f"The staging server moved to Frankfurt, password={token}"
    words = ourcli.words("tools", "call", "memory.remember", "--input", f'{{"text": "{text}"}}')

    with on_a_terminal(words, folder=ourcli.folder, environment=ourcli.variables()) as terminal:
        terminal.wait_for("Grant it?")
        terminal.type("o\n")
        terminal.wait_for("Run it?")
        terminal.type("y\n")
        code = terminal.wait_for_the_end()
    granted = ourcli.run("tools", "grant", "memory.search", "memory:read")
    query = '{"query": "where is the staging server"}'
    found = ourcli.run("tools", "call", "memory.search", "--input", query, "--json")
    by_trust = ourcli.run("memory", "search", "staging server", "--trust", "tool", "--json")

    assert (code, granted.code) == (0, 0)
    record = found.document["output"]["records"][0]
    assert ("Frankfurt" in record["text"], token in record["text"], record["trust"]) == (True, False, "tool")
    assert record["id"] in [hit["id"] for hit in by_trust.document["hits"]]
