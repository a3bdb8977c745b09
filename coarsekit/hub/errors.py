"""What goes wrong at the Hugging Face Hub, one sentence each, without any token."""

import logging
import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal
from urllib.parse import unquote

from coarsekit.errors import CoarsekitError, HubError
from coarsekit.hub.answers import AnswerError, guard_client

Kind = Literal["dataset", "model"]

_LONGEST = 200
"""Characters of a server's message that are shown."""
_LONGEST_READ = 10_000


@contextmanager
def hub_errors(
    repository: str,
    *,
    file: str = "",
    kind: Kind = "model",
    revision: str | None = None,
    token: str | bool | None = None,
) -> Iterator[None]:
    """Watch over what the Hub's client does, and turn its errors into one sentence.

    Args:
        repository: The repository that the block reads or writes, ``USER/NAME``.
        file: What the block reads of it; empty when the block writes.
        kind: What the repository has. The name of a model could have been that of a folder.
        revision: The branch, tag or commit that the block reads; None for main.
        token: As `huggingface_hub` takes it: None for that of the login or of HF_TOKEN, False for none.

    Raises:
        HubError: When the client raises an error, or the Hub answers what leads out of the client's cache.
    """
    # Imported here, as most refiners come from the disk.
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError, OfflineModeIsEnabled

    guard_client()
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # it warns in the server's words
    try:
        yield
    except CoarsekitError:
        raise
    except HFValidationError:
        wrong = f"{repository!r} is not a name of a repository; write USER/NAME, such as ada/lite"
        raise HubError(without_token(wrong, token)) from None
    except Exception as error:  # an answer that is none of the Hub's makes its client stumble in many ways
        place = f"{repository}@{revision}" if revision else repository
        place = f"the dataset {place}" if kind == "dataset" and file else place
        if isinstance(error, LocalEntryNotFoundError) and not isinstance(error.__cause__, OfflineModeIsEnabled):
            error = error.__cause__ if isinstance(error.__cause__, Exception) else error
        sentence = _not_found(repository, place, file, kind, revision, token, error) if file else None
        sentence = sentence or _refusal(place, file, kind, token, error)
        raise HubError(without_token(_one_line(sentence), token)) from None


def without_token(sentence: str, token: str | bool | None = None) -> str:
    """The sentence without tokens, whatever a server repeats of a request: plain, spaced out, or in base 64."""
    from huggingface_hub import get_token

    for secret in (token, get_token()):
        if isinstance(secret, str) and secret:
            for form in (secret, *_in_base_64(secret)):
                spaced = r"[\W_]*+".join(filter(str.isalnum, form)) or re.escape(form)
                sentence = re.sub(spaced, "hf_…", sentence)
    return re.sub(r"hf_\w+", "hf_…", sentence)


def foreign(text: str, token: str | bool | None = None) -> str:
    """The text of a server on one line, without tokens and control characters, and cut.

    Whatever stands behind percent signs is written out, so that no token hides there.
    """
    text = text[:_LONGEST_READ]
    while (plain := unquote(text)) != text:
        text = plain
    return without_token(_one_line(text), token)[:_LONGEST]


def _one_line(text: str) -> str:
    """The text without control characters, and with single spaces."""
    text = "".join(" " if letter.isspace() else letter for letter in text)
    return " ".join("".join(filter(str.isprintable, text)).split())


def _in_base_64(secret: str) -> Iterator[str]:
    """What base 64 has of a secret anywhere in a text, without the letters that its surroundings share."""
    data = secret.encode()
    for before, shared in ((0, 0), (1, 2), (2, 3)):
        code = b64encode(bytes(before) + data).decode().rstrip("=")
        code = code[shared : -1 if (before + len(data)) % 3 else None]
        if len(code) >= 8:
            yield from {code, code.replace("+", "-").replace("/", "_")}


def _not_found(
    repository: str,
    place: str,
    file: str,
    kind: Kind,
    revision: str | None,
    token: str | bool | None,
    error: Exception,
) -> str | None:
    """The sentence for what cannot be read because it is not there, or not for this reader; None for other errors."""
    from huggingface_hub import errors, get_token

    match error:
        case errors.GatedRepoError():
            return f"{repository} is gated; ask for access on its page, log in with 'hf auth login', and run again"
        case errors.RepositoryNotFoundError():
            readable, do = "those without a token", ", or log in with 'hf auth login' if it is private"
            if token or (token is None and get_token()):
                readable, do = "that token", " and the token's rights"
            what = f"no folder and no repository {repository}" if kind == "model" else f"no dataset {repository}"
            return f"{what} on the Hub for {readable}; check the name{do}"
        case errors.RevisionNotFoundError():
            return f"{repository} has no revision {revision!r}; name one of its branches, tags or commits"
        case errors.LocalEntryNotFoundError() | errors.OfflineModeIsEnabled() if kind == "model":
            return (
                f"{place} is no folder here, and its {file} is not in the Hub's cache, where alone offline mode looks; "
                "fetch it once while online"
            )
        case errors.EntryNotFoundError():
            return f"{place} has no {file}; see what the repository has"
    return None


def _refusal(place: str, file: str, kind: Kind, token: str | bool | None, error: Exception) -> str:
    """The sentence for a Hub that was not reached, or that refuses."""
    from huggingface_hub import is_offline_mode
    from huggingface_hub.errors import HfHubHTTPError

    # Whatever HTTP library the client stands on, this is the base of that library's errors, or an OSError.
    transport: type[Exception] = HfHubHTTPError.__bases__[0]
    do = "check the connection (and HF_ENDPOINT, if it is set) and run again"
    if is_offline_mode():
        do = "offline mode is on: unset HF_HUB_OFFLINE and run again"
    if isinstance(error, AnswerError):
        return f"{place}: {error}; nothing was kept; name another, or see that HF_ENDPOINT is a Hub that you trust"
    response = getattr(error, "response", None)
    if response is None and isinstance(error, (RuntimeError, ValueError)) and not file:
        return f"{place}: {foreign(str(error), token)} (what was sent is kept; run again to go on)"
    if response is None:
        what = f"the {file} of {place}" if file else place
        if not isinstance(error, (OSError, transport)):
            return f"what was answered for {what} cannot be understood ({type(error).__name__}); {do}"
        missed = f"the Hub was not reached for {what}"
        if file and kind == "model":
            missed = f"{place} is no folder here, and the Hub was not reached for its {file}"
        return f"{missed} ({type(error).__name__}); {do}"
    return _answered(place, file, token, error, response.status_code)


def _answered(place: str, file: str, token: str | bool | None, error: Exception, status: int) -> str:
    """The sentence for a status of the Hub."""
    if status == 401:
        return (
            f"the Hub does not accept the token for {place} (401); log in again with 'hf auth login', or set HF_TOKEN"
        )
    if status == 403 and not file:
        return f"the token may not write to {place} (403); use one with write access, or name a repository of your own"
    said = foreign(str(getattr(error, "server_message", None) or ""), token)
    return f"the Hub answered {status} for {place}{': ' + said if said else ''}; run again, or see its status page"
