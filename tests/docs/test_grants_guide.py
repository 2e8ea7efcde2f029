"""The policy that the guide shows is one."""

from pathlib import Path

import pytest

from ourcli.tools.backends.policy_file import PolicyFile
from ourcli.tools.spec import OriginKind
from tests.docs.pages import ROOT, examples
from tests.promises import promise


def the_policy_of_the_guide(folder: Path) -> PolicyFile:
    (example,) = examples((ROOT / "docs" / "guide" / "grants.md").read_text("utf-8"))
    path = folder / "grants.toml"
    path.write_text(example, encoding="utf-8")
    path.chmod(0o600)
    return PolicyFile(path)


@promise("release.docs.examples")
@pytest.mark.anyio
async def test_the_policy_of_the_guide_is_valid(tmp_path: Path) -> None:
    policy = the_policy_of_the_guide(tmp_path)

    entries = await policy.entries()

    assert [(one.origin.kind, one.origin.name, len(one.grants)) for one in entries] == [
        (OriginKind.PLUGIN, "wordcount", 3),
        (OriginKind.BUILTIN, "fs", 1),
    ]
    await policy.aclose()
