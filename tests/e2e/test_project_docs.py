"""A project's documentation, read into memory and asked about."""

import json
from pathlib import Path

import pytest

from ourcli.app.lifetime import open_service
from ourcli.app.requests import IngestReport
from ourcli.memory.layers import Layer
from ourcli.memory.query import Filter
from tests.promises import promise
from tests.support.process import CommandLine

RECIPES = """# Recipes

A recipe is a plan in a file.

## Adding a recipe

To add a recipe, write a TOML file into the recipes folder of your home, or run `ourcli recipes new NAME`,
which writes one to start from. Each step names its kind and what it needs.

## Broken recipes

A recipe that cannot be read is reported and hides no other.
"""
PAGES = {
    "docs/recipes.md": RECIPES,
    "docs/models.md": "# Models\n\nModels are fetched by `ourcli models pull`. Each has a digest and a licence.\n",
    "docs/memory.md": "# Memory\n\nMemory has three layers: chat turns, decisions, documents. Chat turns live a day.\n",
    "README.md": "# The shop\n\nA small shop. It sells bees and honey, and answers questions about both.\n",
    "docs/.gitignore": "drafts/\n",
    "docs/drafts/recipes.md": "# Draft\n\nTo add a recipe, shout at the moon.\n",
}


@pytest.fixture
def project(folder: Path) -> Path:
    for name, text in PAGES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def heading(text: str, title: str) -> int:
    """Return the line, from 1, on which a title stands."""
    return text.splitlines().index(title) + 1


@promise("core.ask.cites-files")
@promise("memory.ingest.end-to-end")
def test_a_question_about_the_documentation_cites_file_and_lines(ourcli: CommandLine, project: Path) -> None:
    first = ourcli.run("ingest", "docs", "README.md", "--json").document
    second = ourcli.run("ingest", "docs", "README.md", "--json").document
    answer = ourcli.run("ask", "how do I add a recipe?", "--json").document

    assert (first["files"], second["files"], second["chunks"]) == (4, 0, 0)
    cited = answer["citations"][0]
    assert (cited["layer"], cited["source"]["uri"]) == ("assets", str(project / "docs" / "recipes.md"))
    begin, end = cited["source"]["lines"]
    assert begin <= heading(RECIPES, "## Adding a recipe") + 2 <= end <= len(RECIPES.splitlines())
    assert "ourcli recipes new NAME" in answer["answer"]
    assert "moon" not in json.dumps(answer)


@pytest.mark.anyio
@promise("memory.ingest.end-to-end")
async def test_changed_files_are_replaced_and_deleted_ones_removed(project: Path) -> None:
    paths = [project / "docs", project / "README.md"]
    async with open_service() as service:
        await service.ingest(paths, None)
        (project / "docs" / "models.md").write_text("# Models\n\nModels grow on trees.\n")
        (project / "docs" / "memory.md").unlink()

        report: IngestReport = await service.ingest(paths, None)

        texts = [record.text for record in await service.records(Filter(layers=(Layer.ASSETS,)), None)]
    assert (report.files, report.removed) == (1, 1)
    assert [text for text in texts if "Models" in text] == ["# Models\n\nModels grow on trees."]
    assert not any("three layers" in text for text in texts)
    assert any("small shop" in text for text in texts)
