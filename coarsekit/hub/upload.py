"""Pushing a folder to the Hugging Face Hub: whose account, which repository, what may be written there."""

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import eq
from pathlib import Path

from huggingface_hub import HfApi, get_token
from huggingface_hub.errors import RepositoryNotFoundError
from huggingface_hub.utils.tqdm import disable_progress_bars

from coarsekit.errors import HubError, OutputError
from coarsekit.hub.download import fetch_file
from coarsekit.hub.errors import Kind, foreign, hub_errors

_OF_THE_HUB = {".gitattributes"}


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository of the Hub to push to.

    ``record``: the file that says what the repository has; the same record there means the same contents.
    ``private``: True to make it so when it is created.
    """

    name: str
    kind: Kind
    record: str
    private: bool = False

    def check(self, record_text: str, force: bool, is_same: Callable[[str, str], bool] = eq) -> None:
        """Check before any work that pushing will neither write over other contents nor make private ones public.

        A repository that is not there yet, is empty, or has the same record passes.

        Args:
            record_text: The text of the record that will be pushed.
            force: Whether other contents may be written over.
            is_same: Whether a record that is there, its text first, is the same.

        Raises:
            OutputError: When it has something else and ``force`` is not set, or is public and should be private.
            HubError: When the Hub cannot be asked.
        """
        with hub_errors(self.name):
            try:
                info = HfApi().repo_info(self.name, repo_type=self.kind)
            except RepositoryNotFoundError:
                return
            if self.private and not info.private:
                raise OutputError(f"{self.name} is public already; make it private in its settings, or name another")
            held = {name for name in HfApi().list_repo_files(self.name, repo_type=self.kind) if name not in _OF_THE_HUB}
            if force or not held:
                return
            if self.record not in held or not is_same(self._text_of_record(), record_text):
                raise OutputError(f"{self.name} has something else; give force=True to write over it, or name another")

    def push(self, folder: Path, files: Sequence[str], stale: str | list[str], quiet: bool = False) -> str:
        """Upload files of a folder.

        A dataset's record goes first, in a commit of its own, by which a broken-off push is known and goes on; a model
        is one commit, so that no revision has the config of one training and the weights of another. Content that is
        there already is not sent again.

        Args:
            folder: The folder.
            files: Paths in it.
            stale: Patterns of the names of other files of the repository, which are removed.
            quiet: Whether to show no progress bars on stderr; only a terminal gets them.

        Returns:
            The repository's address.

        Raises:
            HubError: When the Hub refuses or is not reached; running again goes on from there.
        """
        api = HfApi()
        if quiet or not sys.stderr.isatty():
            disable_progress_bars()
        with hub_errors(self.name):
            url = api.create_repo(self.name, repo_type=self.kind, private=self.private or None, exist_ok=True)
            announced = ([self.record], f"Say what is to come: {self.record}", None)
            uploaded = (list(files), f"Upload {len(files)} files with coarsekit", stale)
            for names, message, deleted in [announced, uploaded] if self.kind == "dataset" else [uploaded]:
                api.upload_folder(
                    repo_id=self.name,
                    repo_type=self.kind,
                    folder_path=folder,
                    allow_patterns=names,
                    delete_patterns=deleted,
                    commit_message=message,
                )
        return foreign(str(url))

    def _text_of_record(self) -> str:
        return fetch_text(self.name, self.kind, self.record)


def full_name(name: str | None, default: str) -> str:
    """``USER/NAME`` of a repository: an account's own where only NAME is given, and ``default`` where nothing is.

    Raises `HubError` when nobody is logged in, or the token is not accepted.
    """
    if get_token() is None:
        raise HubError("no Hugging Face token was found; log in with 'hf auth login', or set HF_TOKEN, and run again")
    with hub_errors(name or default):
        user = HfApi().whoami()["name"]
        if not re.fullmatch(r"[\w.-]{1,96}", user):
            raise HubError("the Hub says no name of the token's account; see that HF_ENDPOINT is a Hub that you trust")
        return name if name and "/" in name else f"{user}/{name or default}"


def fetch_text(name: str, kind: Kind, path: str) -> str:
    """The text of a file of a repository, which is kept in the client's cache.

    Raises `HubError` when there is none, the Hub is not reached, or it is not what the Hub's hash of it says.
    """
    return fetch_file(name, path, kind=kind).read_text(encoding="utf-8", errors="replace")
