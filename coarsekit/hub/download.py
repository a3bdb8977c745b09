"""Files of a repository on the Hugging Face Hub, fetched into the Hub's ordinary cache or found there."""

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from coarsekit.errors import HubError
from coarsekit.hub.errors import Kind, hub_errors

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
    """Fetch files of one commit of a repository of a model into the Hub's cache.

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
            and the cache does not have it, or a file is not what the Hub's hash of it says.
    """
    folder = fetch_file(repository, files[0], access).parent
    same = replace(access, revision=folder.name)  # so that all files are of one commit
    for name in files[1:]:
        fetch_file(repository, name, same)
    for name in optional:
        known = _known(repository, name, "model", same)
        if known is None or isinstance(known, str):
            _fetched(repository, name, "model", same, must=False)
    return folder


def fetch_file(repository: str, file: str, access: Access = MAIN, kind: Kind = "model") -> Path:
    """The path, in the Hub's cache, of one file of a repository; see `fetch` for what is raised."""
    return Path(_fetched(repository, file, kind, access, must=True))


def _known(repository: str, file: str, kind: Kind, access: Access) -> object:
    """Where the cache has a file of a revision, a mark that the revision has none of that name, or None."""
    from huggingface_hub import try_to_load_from_cache

    if access.force_download:
        return None
    place = None if access.cache_dir is None else os.fspath(access.cache_dir)
    return try_to_load_from_cache(repository, file, cache_dir=place, revision=access.revision, repo_type=kind)


def _fetched(repository: str, file: str, kind: Kind, access: Access, must: bool) -> str:
    """The path of one file in the cache; the empty string where the commit has none and it need not have one."""
    # Imported here, as most refiners come from the disk.
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError

    with hub_errors(repository, file=file, kind=kind, revision=access.revision, token=access.token):
        known = _known(repository, file, kind, access)
        try:
            if must and not access.local_files_only and known is None:
                # Asked once, for the download would try for half a minute where the Hub is not reached.
                url = hf_hub_url(repository, file, repo_type=kind, revision=access.revision)
                get_hf_file_metadata(url, token=access.token)
            path = hf_hub_download(
                repository,
                file,
                repo_type=kind,
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
        if Path(path).is_symlink():
            _check_content(Path(path), Path(path).readlink().name, f"{repository}: {file}")
        elif path != known:  # a cache without links, where only what was just fetched is to be checked
            url = hf_hub_url(repository, file, repo_type=kind, revision=Path(path).parent.name)
            _check_content(
                Path(path), get_hf_file_metadata(url, token=access.token).etag or "", f"{repository}: {file}"
            )
        return path


def _check_content(path: Path, stated: str, name: str) -> None:
    """Refuse and remove a file of the cache that is not what the Hub's hash says: SHA-256 of LFS, else git's SHA-1."""
    content = path.read_bytes()
    git = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    if stated not in (git, hashlib.sha256(content).hexdigest()):
        path.resolve().unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        kind = "SHA-256" if len(stated) == 64 else "hash"
        raise HubError(
            f"{name} is not what the Hub's {kind} of it says ({stated[:10]}…), and was removed from the cache; run "
            "again, or tell its owner"
        )
