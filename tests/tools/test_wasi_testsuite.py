"""The official tests of WASI preview 1 through the real worker, where somebody says where they are."""

import os
from pathlib import Path

import pytest

from tests.promises import promise
from tools.wasi_testsuite import Case, cases, fault

FOLDER = os.environ.get("WASI_TESTSUITE", "")


if FOLDER:  # or there is no such test: one that is always left out would count as a skip

    @promise("tools.wasm.testsuite")
    @pytest.mark.slow
    @pytest.mark.parametrize("case", list(cases(Path(FOLDER))), ids=lambda case: case.module.stem)
    def test_an_official_test_of_wasi_passes_through_the_worker(case: Case) -> None:
        assert fault(case) == ""


@promise("tools.wasm.testsuite")
def test_what_the_suite_expects_is_read_from_the_files_beside_its_tests(tmp_path: Path) -> None:
    folder = tmp_path / "c" / "wasm32-wasip1"
    folder.mkdir(parents=True)
    for name in ("told", "untold"):
        (folder / f"{name}.wasm").touch()
    (folder / "told.json").write_text('{"args": ["a"], "env": {"k": "v"}, "root": "files", "exit_code": 3}')

    told, untold = cases(tmp_path)

    assert (told.arguments, told.environment, told.exit_code) == (("a",), (("k", "v"),), 3)
    assert told.root == folder / "files"
    assert (untold.arguments, untold.root, untold.exit_code, untold.stdout) == ((), None, 0, None)
