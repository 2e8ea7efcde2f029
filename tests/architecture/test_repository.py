"""What is committed: text that says nothing about the machine it was written on, and nothing heavy."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.promises import promise

ROOT = Path(__file__).resolve().parents[2]
MEGABYTE = 1_000_000

# Pieces, so that this file does not hold what it looks for.
INDEXES = [
    ".".join(words)
    for words in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("crates", "io"),
        ("proxy", "golang", "org"),
        ("conda", "anaconda", "org"),
    )
]
SWITCHES = ["--" + name for name in ("index-url", "extra-index-url", "find-links", "trusted-host")]
LOCAL_PATHS = [re.escape("/" + "/".join(words)) for words in (("work", "main"), ("work", "shared"), ("opt", "wheels"))]
LOCAL_PATHS += [r"/" + r"root/\.", r"/" + r"home/[a-z]+/"]
LOCK_FILES = {"uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "package-lock.json", "yarn.lock", "Cargo.lock"}
WEIGHTS = {".gguf", ".ggml", ".safetensors", ".pt", ".pth", ".bin", ".whl", ".so", ".dylib", ".dll", ".cwasm"}


def tracked() -> list[Path]:
    """Return what git tracks and the work tree holds."""
    command = ["git", "ls-files", "-z"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail("the suite runs in a git checkout, so that it can tell what is committed")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def lines_that_match(pattern: str) -> list[str]:
    """Return the lines of tracked text in which the pattern is found."""
    found = []
    for path in tracked():
        text = path.read_bytes().decode("utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), start=1):
            if re.search(pattern, line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}")
    return found


@promise("release.repository.clean")
def test_no_tracked_file_is_larger_than_a_megabyte() -> None:
    assert [str(path.relative_to(ROOT)) for path in tracked() if path.stat().st_size > MEGABYTE] == []


@promise("release.repository.clean")
def test_no_weights_or_binaries_are_tracked() -> None:
    assert [str(path.relative_to(ROOT)) for path in tracked() if path.suffix in WEIGHTS] == []


@promise("release.repository.clean")
def test_no_lock_file_of_an_index_is_tracked() -> None:
    assert [str(path.relative_to(ROOT)) for path in tracked() if path.name in LOCK_FILES] == []


@promise("release.repository.clean")
def test_no_tracked_file_names_a_package_index() -> None:
    assert lines_that_match("|".join(re.escape(name) for name in INDEXES)) == []


@promise("release.repository.clean")
def test_no_requirements_file_chooses_an_index() -> None:
    found = [line for line in lines_that_match("|".join(SWITCHES)) if line.startswith("requirements/")]
    assert found == []


@promise("release.repository.clean")
def test_no_tracked_file_names_a_path_of_one_machine() -> None:
    assert lines_that_match("|".join(LOCAL_PATHS)) == []


@promise("release.requirements.hashed")
@pytest.mark.parametrize("name", ["build", "runtime", "dev", "lock"])
def test_every_requirement_is_pinned_and_hashed(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert lines
    assert [line for line in lines if "==" not in line or "--hash=sha256:" not in line] == []


@promise("release.requirements.hashed")
def test_the_build_backend_is_pinned_where_it_is_asked_for() -> None:
    pinned = (ROOT / "requirements" / "build.txt").read_text(encoding="utf-8")
    asked = re.search(r'requires = \["(hatchling==[\d.]+)"\]', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert asked is not None
    assert asked.group(1) in pinned


def test_the_licence_is_apache() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "Version 2.0" in text


def test_every_target_of_the_makefile_that_is_named_has_a_rule() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (named,) = re.findall(r"^\.PHONY:(.*)$", makefile, re.MULTILINE)
    helped = re.findall(r"^\t@echo 'make ([a-z-]+)", makefile, re.MULTILINE)
    ruled = set(re.findall(r"^([a-z-]+):(?!=)", makefile, re.MULTILINE))

    assert set(helped) <= set(named.split()) <= ruled
