"""Guests that look around: variables, arguments, descriptors."""

import pytest

from tests.promises import promise
from tests.support.arena import Arena, Attack

pytestmark = pytest.mark.anyio
SECRETS = ("API_TOKEN", "API_TOKEN_2", "LD_PRELOAD_LIKE", "HOME", "PATH", "OURCLI_HOME")


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give this process variables, one of which is granted."""
    for name in ("API_TOKEN", "API_TOKEN_2", "LD_PRELOAD_LIKE"):
        monkeypatch.setenv(name, f"value of {name}")


@promise("tools.attacks.environment")
@pytest.mark.parametrize("name", SECRETS)
async def test_without_a_grant_no_variable_is_set(arena: Arena, name: str) -> None:
    await arena.withstand(Attack(guest="files", word="variable", path=name, told="unset"))


@promise("tools.attacks.environment")
@promise("tools.wasm.exact-rights")
async def test_a_guest_sees_the_variable_it_was_granted_and_no_other(arena: Arena) -> None:
    one = Attack(
        guest="files", word="variables", told="arguments 1 API_TOKEN=value of API_TOKEN", rights=("env=API_TOKEN",)
    )

    await arena.withstand(one)


@promise("tools.attacks.environment")
async def test_without_grants_a_guest_has_no_variable_and_no_argument_but_its_name(arena: Arena) -> None:
    await arena.withstand(Attack(guest="files", word="variables", told="arguments 1"))


@promise("tools.attacks.environment")
@pytest.mark.parametrize(
    ("rights", "told"), [((), "0,1,2"), (("fs:read={granted}",), "0,1,2,3"), (("env=API_TOKEN",), "0,1,2")]
)
async def test_a_guest_has_no_descriptor_but_its_streams_and_granted_folders(
    arena: Arena, rights: tuple[str, ...], told: str
) -> None:
    await arena.withstand(Attack(guest="files", word="descriptors", told=told, rights=rights))
