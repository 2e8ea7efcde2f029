"""What a fetch takes of an answer: bounded, unpacked, of kinds that are text."""

import gzip

import pytest

from ourcli.common.errors import ToolError, ToolOutputError
from ourcli.testing.web import page
from tests.promises import promise
from tests.support.web import Web

pytestmark = pytest.mark.anyio


@promise("tools.fetch.bounded")
@pytest.mark.parametrize(
    "answer",
    [
        page("x" * 1_001),
        page(gzip.compress(b"x" * 50_000_000), headers=["content-encoding: gzip"]),
        page(gzip.compress(b"x" * 1_001), headers=["content-encoding: gzip"]),
        page(gzip.compress(b"") * 100, headers=["content-encoding: gzip"]),
        b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n" + b"x" * 1_001,
        page(gzip.compress(gzip.compress(b"x")), headers=["content-encoding: gzip, gzip"]),
        page(b"x", headers=["content-encoding: br"]),
        page(b"not packed", headers=["content-encoding: gzip"]),
        page(gzip.compress(b"hello hello")[:-9], headers=["content-encoding: gzip"]),
        page("x", kind="application/octet-stream"),
        page("x", kind="image/svg"),
        page(b"\x00\x01", kind=""),
        page(b"\xff\xfe\xfd", kind=""),
    ],
)
async def test_a_body_beyond_its_bounds_or_of_another_kind_is_not_taken(answer: bytes) -> None:
    web = Web(answer)

    with pytest.raises(ToolOutputError):
        await web.get("http://site.test/", "site.test", most_bytes=1_000)

    assert web.dialler.streams[0].closed


@promise("tools.fetch.bounded")
async def test_a_small_pack_that_is_large_inside_is_left_after_its_first_pieces() -> None:
    packed = gzip.compress(b"\0" * 200_000_000, compresslevel=1)
    web = Web(page(packed, headers=["content-encoding: gzip"]))

    with pytest.raises(ToolOutputError, match="larger than 1000 bytes"):
        await web.get("http://site.test/", "site.test", most_bytes=1_000)

    assert web.dialler.streams[0].given < len(packed) / 4


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (page(gzip.compress(b"packed"), headers=["content-encoding: gzip"]), "packed"),
        (page(b"gr\xfc", kind="text/plain; charset=iso-8859-1"), "grü"),
        (page("\ufeffgrü", kind="application/json"), "grü"),
        (page(b"\xff!", kind="text/plain"), "\ufffd!"),
        (page(b"xn--", kind="text/plain; charset=punycode"), "xn--"),
        (page(b"aGk=", kind="text/plain; charset=base64"), "aGk="),
        (page(b"{}", kind="application/ld+json"), "{}"),
        (page("untold", kind=""), "untold"),
    ],
)
async def test_text_is_unpacked_and_decoded_as_it_was_told(answer: bytes, text: str) -> None:
    assert (await Web(answer).get("http://site.test/", "site.test")).text == text


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 50_000])
async def test_what_is_no_http_fails_in_words(answer: bytes) -> None:
    with pytest.raises(ToolError, match="was not fetched"):
        await Web(answer).get("http://site.test/", "site.test")
