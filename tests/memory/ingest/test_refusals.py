"""Names that are never read, and bytes that are no text."""

from pathlib import Path

import pytest

from ourcli.memory.ingest.decoding import decode
from ourcli.memory.ingest.refusals import refusal
from tests.promises import promise


@promise("memory.ingest.secrets")
@pytest.mark.parametrize(
    "name",
    [
        *(".env", ".env.local", "prod.env", "server.PEM", "tls.key", "id_rsa", "id_ed25519.pub", "store.p12"),
        *(".netrc", ".npmrc", ".pypirc", "credentials", "credentials.json", "Vault.kdbx", "terraform.tfstate"),
        ".ssh/config",
    ],
)
def test_files_with_secrets_are_known_by_name(name: str) -> None:
    assert refusal(Path("/work") / name) == "may hold secrets"


@pytest.mark.parametrize("name", ["uv.lock", "package-lock.json", "app.min.js", "app.js.map"])
def test_generated_files_are_known_by_name(name: str) -> None:
    assert refusal(Path(name)) == "is generated"


@pytest.mark.parametrize("name", ["README.md", "environment.yml", "monkey.py", "keys.md", "secretary.txt", "lock.py"])
def test_ordinary_names_are_no_reason(name: str) -> None:
    assert refusal(Path("/notes") / name) is None


@promise("memory.ingest.binary")
@pytest.mark.parametrize(
    "data",
    [
        b"text\0more",
        bytes(range(256)) * 8,
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"\xff\xfe\x00\xd8",
        "ü".encode("latin-1") + b"\0",
    ],
)
def test_bytes_that_are_no_text_are_refused(data: bytes) -> None:
    assert decode(data) is None


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", ""),
        ("héllo\r\n".encode(), "héllo\r\n"),
        ("héllo".encode("utf-8-sig"), "héllo"),
        ("héllo".encode("utf-16"), "héllo"),
        ("héllo".encode("utf-32"), "héllo"),
        ("Das Café in München hat schöne Stühle.\n".encode("cp1252"), "Das Café in München hat schöne Stühle.\n"),
        (
            "これは日本語の文章です。今日は天気がいい。\n".encode("shift_jis"),
            "これは日本語の文章です。今日は天気がいい。\n",
        ),
    ],
)
def test_text_is_read_in_the_encoding_it_was_written_in(data: bytes, expected: str) -> None:
    assert decode(data) == expected
