"""Finding secrets: the real library with our rules, and the fake that stands for it."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ourcli.common.errors import StoreError
from ourcli.memory.backends.secrets import KingfisherRedactor, may_hold_token
from ourcli.memory.ports import Redactor
from ourcli.memory.secrets import merged, replaced, secrets_in
from ourcli.testing.secrets import A_SECRET, FakeRedactor
from tests.memory.secret_samples import HARMLESS, SECRETS, some, text_of
from tests.promises import promise

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def real(secret_rules: Path) -> KingfisherRedactor:
    return KingfisherRedactor(secret_rules)


@pytest.fixture(params=["real", "fake"])
def redactor(request: pytest.FixtureRequest, real: KingfisherRedactor) -> Redactor:
    return real if request.param == "real" else FakeRedactor()


async def test_nothing_to_look_at_is_no_error(redactor: Redactor) -> None:
    assert await redactor.redact([]) == []


async def test_a_secret_is_replaced_wherever_it_stands_and_its_kind_told_once(redactor: Redactor) -> None:
    text = f"{A_SECRET}, again {A_SECRET}; the rest stays"

    plain, redacted = await redactor.redact(["nothing here", text])

    assert (plain.text, plain.found) == ("nothing here", ())
    assert redacted.text == "[secret: aws-access-key], again [secret: aws-access-key]; the rest stays"
    assert redacted.found == ("aws-access-key",)


async def test_what_was_replaced_is_not_replaced_again(redactor: Redactor) -> None:
    (once,) = await redactor.redact([f"key {A_SECRET}"])

    (twice,) = await redactor.redact([once.text])

    assert (twice.text, twice.found) == (once.text, ())


@promise("memory.privacy.secrets-replaced")
@pytest.mark.parametrize("name", SECRETS)
async def test_every_kind_of_secret_is_found(real: KingfisherRedactor, name: str) -> None:
    text, secret = text_of(name)

    (clean,) = await real.redact([f"Grüße 🎉 — {text}\nand the end"])

    assert secret not in clean.text
    assert clean.found
    assert clean.text.startswith("Grüße 🎉 — ")
    assert clean.text.endswith("\nand the end")
    assert f"[secret: {clean.found[0]}]" in clean.text
    (again,) = await real.redact([clean.text])
    assert not again.found


@promise("memory.privacy.harmless-kept")
@pytest.mark.parametrize("name", HARMLESS)
async def test_what_only_looks_like_a_secret_stays_byte_for_byte(real: KingfisherRedactor, name: str) -> None:
    (clean,) = await real.redact([HARMLESS[name]])

    assert (clean.text, clean.found) == (HARMLESS[name], ())


async def test_the_surest_kind_is_told(real: KingfisherRedactor) -> None:
    token = f"ghp_{some(36)}"

    (clean,) = await real.redact([f"password={token}"])

    assert clean.text == "password=[secret: github-pat]"


async def test_a_note_in_the_text_does_not_switch_the_search_off(real: KingfisherRedactor) -> None:
    (clean,) = await real.redact([f"lin_api_{some(40)} # kingfisher:ignore gitleaks:allow pragma: allowlist secret"])

    assert clean.found == ("linear-api-key",)


def test_plain_notes_need_no_library_and_tokens_do() -> None:
    assert not may_hold_token(
        "see src/ourcli/memory/backends/journaled_store.py, commit " + some(40, "0123456789abcdef")
    )
    assert not may_hold_token(HARMLESS["a UUID"])
    assert may_hold_token(f"ghp_{some(36)}")
    assert may_hold_token(f"twilio auth token {some(32, '0123456789abcdef')}")


async def test_a_library_that_cannot_run_is_an_error_and_not_a_hole(tmp_path: Path) -> None:
    (tmp_path / "rules").write_text("a file where the folder should be")
    redactor = KingfisherRedactor(tmp_path / "rules")

    assert not (await redactor.redact(["a plain note"]))[0].found
    with pytest.raises(StoreError):
        await redactor.redact([f"lin_api_{some(40)}"])


@promise("memory.privacy.light")
def test_the_library_is_loaded_for_texts_that_may_hold_a_token_only() -> None:
    probe = (
        "import sys, anyio; from pathlib import Path\n"
        "from ourcli.memory.backends.secrets import KingfisherRedactor\n"
        "anyio.run(KingfisherRedactor(Path('never')).redact, ['we use Redis; the password is Tr0ub4dor&3xkcd'])\n"
        "assert 'kingfisher_sdk' not in sys.modules"
    )

    subprocess.run([sys.executable, "-c", probe], check=True)


@given(st.text(alphabet=st.sampled_from("pasword=key:/@ \"'ghx1A.-\n🎉İ"), max_size=80))
def test_replacing_never_breaks_a_text(text: str) -> None:
    found = merged(secrets_in(text))

    clean = replaced(text, found)

    assert all(one.end <= other.start for one, other in pairwise(found))
    assert len(clean) == len(text) - sum(s.end - s.start - len(f"[secret: {s.kind}]") for s in found)
