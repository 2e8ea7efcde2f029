"""Rights as values."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ourcli.common.errors import InvalidInputError
from ourcli.tools.capabilities import Capability, missing, parse
from tests.promises import promise


@promise("tools.capabilities.refused")
@pytest.mark.parametrize(
    "text",
    [
        *("", "fs", "fs:read", "fs:read=", "fs:read=relative/path", "fs:read=/a/../b", "fs:read=~other/x"),
        *("fs:execute=/a", "fs:read=/a\n", "fs:read=/a\0b", "fs:read=/\u202eevil", "FS:READ=/a", "fs:read =/a"),
        *("env", "env=", "env=A B", "env=1A", "env=A=B", "env=PÄTH"),
        *("net", "net=", "net=a b", "net=exa_mple.org", "net=host:0", "net=host:65536", "net=host:x", "net=*"),
        *(
            "net=-a.org",
            "net=a..org",
            "net=http://a.org",
            "net=1.2.3",
            "net=0x7f000001",
            "net=2130706433",
            "net=гугл.рф",
        ),
        *("clock=now", "exec=ls", "memory", "memory:read=x", "memory:delete", "x" * 5000, "fs:read=/" + "a" * 2000),
    ],
)
def test_what_is_no_capability_is_refused_with_the_shapes(text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse(text)

    assert caught.value.hint.startswith("write ")
    assert len(caught.value.message) < 200


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("fs:read=/a/./b//c/", "fs:read=/a/b/c"),
        ("fs:read=//a", "fs:read=/a"),
        ("fs:write=~/notes", "fs:write=/users/ada/notes"),
        ("fs:read=~", "fs:read=/users/ada"),
        ("env=API_KEY", "env=API_KEY"),
        ("net=Example.ORG", "net=example.org"),
        ("net=example.org:0443", "net=example.org:443"),
        ("net=127.0.0.1:80", "net=127.0.0.1:80"),
        ("net=[::1]:80", "net=[::1]:80"),
        ("memory:read", "memory:read"),
        ("clock", "clock"),
        ("exec", "exec"),
    ],
)
def test_a_capability_is_written_in_one_form(text: str, written: str) -> None:
    assert str(parse(text, home=Path("/users/ada"))) == written


@promise("tools.capabilities.covers")
@pytest.mark.parametrize(
    ("held", "wanted", "covered"),
    [
        ("fs:read=/a", "fs:read=/a", True),
        ("fs:read=/a", "fs:read=/a/b/c", True),
        ("fs:read=/", "fs:read=/a", True),
        ("fs:read=/a", "fs:read=/ab", False),
        ("fs:read=/a/b", "fs:read=/a", False),
        ("fs:read=/a", "fs:write=/a", False),
        ("fs:write=/a", "fs:read=/a/b", True),
        ("fs:write=/a", "fs:write=/b", False),
        ("env=A", "env=A", True),
        ("env=A", "env=AB", False),
        ("net=a.org", "net=a.org:443", True),
        ("net=a.org", "net=a.org", True),
        ("net=a.org:443", "net=a.org", False),
        ("net=a.org:443", "net=a.org:80", False),
        ("net=a.org", "net=b.a.org", False),
        ("net=[::1]", "net=[::1]:80", True),
        ("memory:write", "memory:read", False),
        ("clock", "clock", True),
        ("clock", "exec", False),
    ],
)
def test_a_right_covers_what_lies_inside_it(held: str, wanted: str, covered: bool) -> None:
    assert parse(held).covers(parse(wanted)) is covered
    assert (missing([parse(wanted)], [parse(held)]) == ()) is covered


@promise("tools.capabilities.refused")
@given(st.text(max_size=60))
def test_any_text_is_a_capability_that_reads_back_or_is_refused(text: str) -> None:
    try:
        right = parse(text)
    except InvalidInputError:
        return

    assert parse(str(right)) == right
    assert right.covers(right)


@given(st.sampled_from(["fs:read=", "fs:write="]), st.lists(st.sampled_from(["a", "b", ".", "c d"]), max_size=6))
def test_every_path_is_absolute_and_without_steps_back(kind: str, steps: list[str]) -> None:
    right = parse(kind + "/" + "/".join(steps))

    assert isinstance(right, Capability)
    assert right.path.is_absolute()
    assert not {".", ".."} & set(right.path.parts)
