"""What is said when the Hub refuses never repeats a token."""

from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote

import pytest

from coarsekit.errors import HubError
from coarsekit.hub.errors import foreign, hub_errors


@pytest.mark.parametrize("token", [None, "a secret of another form"])
def test_no_token_is_repeated_whatever_a_server_says(token: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_SECRETsecret")
    said = f"error for token Bearer hf_SECRETsecret, {token}, and hf_another"
    with pytest.raises(HubError) as caught, hub_errors("ada/lite", token=token):
        raise RuntimeError(said)
    assert "hf_…" in str(caught.value)
    assert not any(secret in str(caught.value) for secret in ("SECRET", "another", "a secret of"))


@pytest.mark.parametrize("secret", ["hf_SECRETsecretSECRET", "no usual~token/of+mine==", "ÿ?>ÿ?>ÿ?>ÿ?>"])
@pytest.mark.parametrize("around", ["", "u:", "user:", "Bearer "])
def test_no_form_of_a_token_is_repeated(secret: str, around: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", secret)
    whole = (around + secret).encode()
    forms = [secret, quote(secret, safe=""), quote(quote(secret, safe="")), " ".join(secret), "\u200b".join(secret)]
    forms += ["".join(f"%{byte:02x}" for byte in secret.encode()), f"{secret[:8]}\n{secret[8:]}"]
    forms += [b64encode(whole).decode(), urlsafe_b64encode(whole + b"!").decode(), b64encode(whole + b"??").decode()]
    shown = [foreign(f"no: {form}; {form}", None) for form in forms]
    compact = ["".join(filter(str.isalnum, text)) for text in shown]
    for part in ("SECRET", "usual", "mine", "ÿ", *(b64encode(whole).decode()[at : at + 9] for at in range(12, 16))):
        assert not any(part in text for text in compact)
    assert all(text.startswith("no: ") and text.count("hf_…") == 2 for text in shown)


def test_what_a_server_says_is_one_short_printable_line() -> None:
    said = foreign("\x1b[31mstorage\r\nlimit\t\u202e reached: 100% of 5 GB\x00 \ud800" + " and so on" * 1000)
    assert said.startswith("[31mstorage limit reached: 100% of 5 GB and so on")
    assert said.isprintable()
    assert len(said) == 200


@pytest.mark.parametrize("error", [KeyError("name"), TypeError("hf_SECRET"), AttributeError("x"), RecursionError()])
def test_whatever_the_client_stumbles_over_is_one_sentence(error: Exception) -> None:
    with pytest.raises(HubError, match="ada/lite") as caught, hub_errors("ada/lite", file="config.json"):
        raise error
    assert "SECRET" not in str(caught.value)
