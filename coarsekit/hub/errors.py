"""What goes wrong at the Hugging Face Hub, one sentence each, without any token."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from coarsekit.errors import HubError


@contextmanager
def hub_errors(
    repository: str, *, file: str = "", revision: str | None = None, token: str | bool | None = None
) -> Iterator[None]:
    """Turn the errors of the Hub's client into one sentence.

    Args:
        repository: The repository that the block reads or writes, ``USER/NAME``.
        file: What the block reads of it; empty when the block writes.
        revision: The branch, tag or commit that the block reads; None for main.
        token: As `huggingface_hub` takes it: None for that of the login or of HF_TOKEN, False for none.

    Raises:
        HubError: When the client raises an error.
    """
    # Imported here, as most refiners come from the disk.
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    # Whatever HTTP library the client stands on, this is the base of that library's errors, or an OSError.
    transport: type[Exception] = HfHubHTTPError.__bases__[0]
    try:
        yield
    except HFValidationError:
        raise HubError(f"{repository!r} is not a name of a repository; write USER/NAME, such as ada/lite") from None
    except (OSError, RuntimeError, ValueError, transport) as error:
        place = f"{repository}@{revision}" if revision else repository
        sentence = _not_found(repository, place, file, revision, token, error) if file else None
        raise HubError(without_token(sentence or _refusal(place, file, error), token)) from None


def without_token(sentence: str, token: str | bool | None = None) -> str:
    """The sentence without tokens, whatever a server repeats of a request."""
    from huggingface_hub import get_token

    for secret in (token, get_token()):
        if isinstance(secret, str) and secret:
            sentence = sentence.replace(secret, "hf_…")
    return re.sub(r"\bhf_\w+", "hf_…", sentence)


def _not_found(
    repository: str, place: str, file: str, revision: str | None, token: str | bool | None, error: Exception
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
            return f"no folder and no repository {repository} on the Hub for {readable}; check the name{do}"
        case errors.RevisionNotFoundError():
            return f"{repository} has no revision {revision!r}; name one of its branches, tags or commits"
        case errors.LocalEntryNotFoundError() | errors.OfflineModeIsEnabled():
            return (
                f"{place} is no folder here, and its {file} is not in the Hub's cache, where alone offline mode looks; "
                "fetch it once while online"
            )
        case errors.EntryNotFoundError():
            return f"{place} has no {file}; see what the repository has"
    return None


def _refusal(place: str, file: str, error: Exception) -> str:
    """The sentence for a status of the Hub, or for a Hub that was not reached."""
    response = getattr(error, "response", None)
    if response is None and isinstance(error, (RuntimeError, ValueError)) and not file:
        return f"{place}: {' '.join(str(error).split())} (what was sent is kept; run again to go on)"
    if response is None:
        return (
            f"{f'{place} is no folder here, and ' if file else ''}the Hub was not reached for "
            f"{f'its {file}' if file else place} ({type(error).__name__}); check the connection (and HF_ENDPOINT, if "
            "it is set) and run again"
        )
    status = response.status_code
    if status == 401:
        return (
            f"the Hub does not accept the token for {place} (401); log in again with 'hf auth login', or set HF_TOKEN"
        )
    if status == 403 and not file:
        return f"the token may not write to {place} (403); use one with write access, or name a repository of your own"
    said = (getattr(error, "server_message", None) or "").splitlines()
    return f"the Hub answered {status} for {place}{': ' + said[0] if said else ''}; run again, or see its status page"
