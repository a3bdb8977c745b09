"""Files of a repository on the Hugging Face Hub, fetched into the Hub's ordinary cache or found there."""

import logging
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from coarsekit.hub.errors import hub_errors

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
    """Fetch files of one commit of a repository into the Hub's cache.

    What is in the cache is not sent again, and serves where the Hub is not reached.

    Args:
        repository: ``USER/NAME``.
        files: Paths of files that the commit must have, at least one.
        optional: Paths of files that are fetched if the commit has them.
        access: The revision, the token and the cache.

    Returns:
        The folder of the cache in which the files of the commit lie.

    Raises:
        HubError: When there is no such repository, revision or file, or it may not be read, or the Hub is not reached
            and the cache does not have it.
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
    """Whether the cache has a file of a commit, or that the commit has none of that name."""
    from huggingface_hub import try_to_load_from_cache

    place = None if access.cache_dir is None else os.fspath(access.cache_dir)
    found = try_to_load_from_cache(repository, file, cache_dir=place, revision=access.revision)
    return found is not None and not access.force_download


def _fetch_one(repository: str, file: str, access: Access, must: bool = True) -> str:
    """The path of one file in the cache; the empty string where the commit has none and it need not have one."""
    # Imported here, as most refiners come from the disk.
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError

    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # what it would warn of is no result
    with hub_errors(repository, file=file, revision=access.revision, token=access.token):
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
        except EntryNotFoundError:
            if must:
                raise
            return ""
