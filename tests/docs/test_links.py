"""Links between pages lead somewhere."""

from pathlib import Path

import pytest

from tests.docs.pages import ROOT, anchors, links, pages
from tests.promises import promise


def broken(page: Path) -> list[str]:
    """Return the links of a page that lead nowhere."""
    found = []
    for link in links(page.read_text("utf-8")):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target.read_text("utf-8"))):
            found.append(link)
    return found


@promise("release.docs.links")
@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    assert broken(page) == []


@promise("release.docs.links")
def test_a_link_that_leads_nowhere_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A title!\n[there](#a-title) [gone](gone.md) [no such part](page.md#other)\n", encoding="utf-8")

    assert broken(page) == ["gone.md", "page.md#other"]


@promise("release.docs.links")
def test_the_readme_leads_to_every_page_of_the_guide() -> None:
    named = set(links((ROOT / "README.md").read_text("utf-8")))

    assert {f"docs/guide/{page.name}" for page in (ROOT / "docs" / "guide").glob("*.md")} <= named
