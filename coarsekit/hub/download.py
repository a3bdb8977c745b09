"""Files of a repository on the Hugging Face Hub, fetched into the Hub's ordinary cache or found there."""

import logging
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from coarsekit.errors import HubError

_NAME = re.compile(r"(?P<repository>[A-Za-z0-9_][\w.-]*/[A-Za-z0-9_][\w.-]*)(?:@(?P<revision>.+))?")


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach a repository, in the words of `huggingface_hub`.

    ``revision``: a branch, a tag or a commit; None for main. ``token``: None for that of the login or of HF_TOKEN,
    False for none. ``local_files_only``: from the cache alone, as with HF_HUB_OFFLINE.
    """

    revision: str | None = None
    token: str | bool | None = None
    cache_dir: str | os.PathLike[str] | None = None
    local_files_only: bool = False
    force_download: bool = False


MAIN = Access()
"""The main branch, as whoever is logged in."""


def repository_of(name: str) -> tuple[str, str | None] | None:
    """``ORG/NAME`` and the revision of ``ORG/NAME`` or ``ORG/NAME@REVISION``; None for a text of another form."""
    match = _NAME.fullmatch(name)
    return (match["repository"], match["revision"]) if match else None


def fetch(repository: str, files: Sequence[str], optional: Sequence[str] = (), access: Access = MAIN) -> Path:
    """The folder of the cache that holds one commit's ``files``, and those of ``optional`` that the commit has.

    Nothing else is fetched. What is in the cache is not sent again, and serves where the Hub is not reached.

    Raises `HubError` when there is no such repository, revision or file, or it may not be read, or the Hub is not
    reached and the cache does not hold it.
    """
    folder = Path(_fetch_one(repository, files[0], access)).parent
    same = replace(access, revision=folder.name)  # so that all files are of one commit
    for name in files[1:]:
        _fetch_one(repository, name, same)
    for name in optional:
        if not _known(repository, name, same):
            _fetch_one(repository, name, same, must=False)
    return folder


def _known(repository: str, file: str, access: Access) -> bool:
    """Whether the cache holds a file of a commit, or that the commit has none of that name."""
    from huggingface_hub import try_to_load_from_cache

    place = None if access.cache_dir is None else os.fspath(access.cache_dir)
    found = try_to_load_from_cache(repository, file, cache_dir=place, revision=access.revision)
    return found is not None and not access.force_download


def _fetch_one(repository: str, file: str, access: Access, must: bool = True) -> str:
    # Imported here, as most refiners come from the disk.
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, HFValidationError

    # Whatever HTTP library the client stands on, this is the base of its errors.
    transport: type[Exception] = HfHubHTTPError.__bases__[0]
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # what it would warn of is no result
    try:
        if must and not access.local_files_only and not _known(repository, file, access):
            # Asked once, for the download would try for half a minute where the Hub is not reached.
            get_hf_file_metadata(hf_hub_url(repository, file, revision=access.revision), token=access.token)
        return hf_hub_download(
            repository,
            file,
            revision=access.revision,
            token=access.token,
            cache_dir=None if access.cache_dir is None else os.fspath(access.cache_dir),
            local_files_only=access.local_files_only,
            force_download=access.force_download,
        )
    except EntryNotFoundError as error:
        if not must:
            return ""
        raise HubError(_refusal(repository, file, access, error)) from None
    except HFValidationError:
        raise HubError(f"{repository!r} is not a name of a repository; write ORG/NAME, such as ada/lite") from None
    except (OSError, ValueError, transport) as error:
        raise HubError(_refusal(repository, file, access, error)) from None


def _refusal(repository: str, file: str, access: Access, error: Exception) -> str:
    """The sentence for an error; none repeats a header, and so no token."""
    from huggingface_hub import errors

    place = f"{repository}@{access.revision}" if access.revision else repository
    match error:
        case errors.GatedRepoError():
            return f"{repository} is gated; ask for access on its page, log in with 'hf auth login', and run again"
        case errors.RepositoryNotFoundError():
            return _hidden(repository, access)
        case errors.RevisionNotFoundError():
            return f"{repository} has no revision {access.revision!r}; name one of its branches, tags or commits"
        case errors.LocalEntryNotFoundError() | errors.OfflineModeIsEnabled():
            return (
                f"{place} is no folder here, and its {file} is not in the Hub's cache, where alone offline mode looks; "
                "fetch it once while online"
            )
        case errors.EntryNotFoundError():
            return f"{place} has no {file}, and so is no refiner of this zoo; see what the repository holds"
    return _failure(place, file, error)


def _failure(place: str, file: str, error: Exception) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status == 401:
        return (
            f"the Hub does not accept the token for {place} (401); log in again with 'hf auth login', or set HF_TOKEN"
        )
    if status is not None:
        return f"the Hub answered {status} for {place}; run again, or see its status page"
    return (
        f"{place} is no folder here, and the Hub was not reached for its {file} ({type(error).__name__}); check the "
        "connection (and HF_ENDPOINT, if it is set) and run again"
    )


def _hidden(repository: str, access: Access) -> str:
    from huggingface_hub import get_token

    if access.token or (access.token is None and get_token()):
        return f"no folder and no repository {repository} on the Hub that the token may read; check its name and rights"
    return (
        f"no folder {repository}, and no repository of that name on the Hub for those without a token; check the name, "
        "or log in with 'hf auth login' if it is private"
    )
