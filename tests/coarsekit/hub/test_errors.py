"""What is said when the Hub refuses never repeats a token."""

import pytest

from coarsekit.errors import HubError
from coarsekit.hub.errors import hub_errors


@pytest.mark.parametrize("token", [None, "a secret of another form"])
def test_no_token_is_repeated_whatever_a_server_says(token: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_SECRETsecret")
    said = f"error for token Bearer hf_SECRETsecret, {token}, and hf_another"
    with pytest.raises(HubError) as caught, hub_errors("ada/lite", token=token):
        raise RuntimeError(said)
    assert "hf_…" in str(caught.value)
    assert not any(secret in str(caught.value) for secret in ("SECRET", "another", "a secret of"))
