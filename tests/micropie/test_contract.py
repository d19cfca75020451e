"""The Protocols say the same as the class, and no more than a Protocol can."""

import inspect
from pathlib import Path
from typing import Any

import pytest

import micropie
from micropie import contract

METHODS = ("accept", "receive_text", "receive_bytes", "send_text", "send_bytes", "close")
ATTRIBUTES = ("accepted", "session_id")
ROLES: dict[str, Any] = {
    name: value
    for name, value in vars(contract).items()
    if inspect.isclass(value) and getattr(value, "_is_protocol", False) and name in contract.__all__
}
PAGE = " ".join(
    (Path(__file__).parents[2] / "docs" / "reference.md").read_text(encoding="utf-8").split()
)


def test_every_public_name_is_listed() -> None:
    defined = {
        name
        for name, value in vars(contract).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == contract.__name__
    } - {"W_contra"}
    assert defined <= set(contract.__all__)
    assert contract.__all__ == sorted(contract.__all__)
    assert all(hasattr(contract, name) for name in contract.__all__)


def test_there_are_only_protocols() -> None:
    classes = [value for value in vars(contract).values() if inspect.isclass(value)]
    own = [one for one in classes if one.__module__ == contract.__name__]
    assert own
    assert all(getattr(one, "_is_protocol", False) for one in own)


@pytest.mark.parametrize("role", ROLES)
def test_roles_are_not_checkable_at_run_time(role: str) -> None:
    with pytest.raises(TypeError, match="runtime"):
        isinstance(object(), ROLES[role])


@pytest.mark.parametrize("method", METHODS)
def test_the_class_has_the_contract_s_signatures(method: str) -> None:
    promised = getattr(contract.WebSocketContract, method)
    made = getattr(micropie.WebSocket, method)
    assert inspect.signature(made) == inspect.signature(promised)
    assert inspect.iscoroutinefunction(promised)
    assert inspect.iscoroutinefunction(made)


def test_the_whole_is_the_sum_of_the_roles() -> None:
    names = {name for name in dir(contract.WebSocketContract) if not name.startswith("_")}
    assert names == {*METHODS, *ATTRIBUTES}


@pytest.mark.parametrize("owner", [contract.WebSocketContract, micropie.WebSocket])
@pytest.mark.parametrize("name", [*METHODS, *ATTRIBUTES])
def test_each_docstring_quotes_the_page(owner: type, name: str) -> None:
    words = " ".join((inspect.getdoc(getattr(owner, name)) or "").split())
    quotes = [quote for quote in words.split('"')[1::2] if quote.strip()]
    assert quotes
    for quote in quotes:
        assert quote.rstrip(".,") in PAGE, quote
    if name in METHODS:
        assert "Raises:" in words
        assert "Cancellation:" in words
