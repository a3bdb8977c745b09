"""Torch on one thread, and a Hugging Face Hub on the loopback interface for the client of this process.

Processes that compete for the same cores make each other several times slower.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from huggingface_hub import constants

from tests import loopback_hub

torch.set_num_threads(1)

TOKEN, READER = "hf_a_token_that_may_write", "hf_a_token_that_may_only_read"


@pytest.fixture(scope="session")
def loopback() -> ModuleType:
    """``tests/loopback_hub.py``."""
    return loopback_hub


@pytest.fixture(scope="session")
def _serving(loopback: ModuleType) -> Iterator[Any]:
    with loopback.serving({TOKEN: "ada", READER: "ada"}, frozenset({READER})) as hub:
        yield hub


@pytest.fixture
def hub(_serving: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An empty Hub that the real client of this process uses, logged in as ada, with an empty cache."""
    _serving.repositories.clear()
    _serving.log.clear()
    _serving.lie = None
    use_endpoint(monkeypatch, _serving.url)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no token"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    return _serving


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Take the Hub from the client: from then on nothing listens where it looks for one."""
    return lambda: use_endpoint(monkeypatch, "http://127.0.0.1:9")


def use_endpoint(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "ENDPOINT", url)
