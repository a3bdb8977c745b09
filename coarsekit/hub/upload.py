"""Pushing a folder to the Hugging Face Hub: whose account, which repository, what may be written there."""

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from huggingface_hub import HfApi, get_token
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, RepositoryNotFoundError
from huggingface_hub.utils.tqdm import disable_progress_bars

from coarsekit.errors import HubError, OutputError

Kind = Literal["dataset", "model"]

# Whatever HTTP library the client stands on, this is the base of that library's errors, or an OSError.
_TRANSPORT: type[Exception] = HfHubHTTPError.__bases__[0]
_OF_THE_HUB = {".gitattributes"}


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository of the Hub to push to.

    ``record``: the file that says what the repository holds; the same record there means the same contents.
    ``private``: True to make it so when it is created.
    """

    name: str
    kind: Kind
    record: str
    private: bool = False

    def check(self, record_text: str, force: bool) -> None:
        """See to it before any work that pushing will neither write over other contents nor make private ones public.

        A repository that is not there yet, is empty, or holds the same record passes.

        Raises `OutputError` when it holds something else and ``force`` is not set, or is public and should be private;
        `HubError` when the Hub cannot be asked.
        """
        with _sentences(self.name):
            try:
                info = HfApi().repo_info(self.name, repo_type=self.kind)
            except RepositoryNotFoundError:
                return
            if self.private and not info.private:
                raise OutputError(f"{self.name} is public already; make it private in its settings, or name another")
            held = {name for name in HfApi().list_repo_files(self.name, repo_type=self.kind) if name not in _OF_THE_HUB}
            if force or not held:
                return
            if self.record not in held or self._text_of_record() != record_text:
                raise OutputError(
                    f"{self.name} holds something else; give force=True to write over it, or name another"
                )

    def push(self, folder: Path, files: Sequence[str], stale: str | list[str], quiet: bool = False) -> str:
        """Upload ``files`` of ``folder``, and remove others there whose names match ``stale``.

        A dataset's record goes first, in a commit of its own, by which a broken-off push is known and goes on; a model
        is one commit, so that no revision has the config of one training and the weights of another. Content that is
        there already is not sent again. Gives the repository's address. ``quiet``: without progress bars on stderr,
        which only a terminal gets.

        Raises `HubError` when the Hub refuses or is not reached; running again goes on from there.
        """
        api = HfApi()
        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
        if quiet or not sys.stderr.isatty():
            disable_progress_bars()
        with _sentences(self.name):
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
        return str(url)

    def _text_of_record(self) -> str:
        path = HfApi().hf_hub_download(self.name, self.record, repo_type=self.kind)
        return Path(path).read_text(encoding="utf-8", errors="replace")


def full_name(name: str | None, default: str) -> str:
    """``USER/NAME`` of a repository: an account's own where only NAME is given, and ``default`` where nothing is.

    Raises `HubError` when nobody is logged in, or the token is not accepted.
    """
    if get_token() is None:
        raise HubError("no Hugging Face token was found; log in with 'hf auth login', or set HF_TOKEN, and run again")
    with _sentences(name or default):
        user = HfApi().whoami()["name"]
    return name if name and "/" in name else f"{user}/{name or default}"


@contextmanager
def _sentences(name: str) -> Iterator[None]:
    """Turn the client's errors into one sentence; none of them repeats a header, and so no token."""
    try:
        yield
    except HFValidationError:
        raise HubError(f"{name!r} is not a name of a repository; write USER/NAME, such as ada/idrid-coarse") from None
    except (OSError, _TRANSPORT) as error:
        raise HubError(_refusal(name, error)) from None
    except (RuntimeError, ValueError) as error:
        raise HubError(f"{name}: {' '.join(str(error).split())} (what was sent is kept; run again to go on)") from None


def _refusal(name: str, error: Exception) -> str:
    response = getattr(error, "response", None)
    if response is None:
        return (
            f"the Hugging Face Hub was not reached for {name} ({type(error).__name__}); check the connection (and "
            "HF_ENDPOINT, if it is set) and run again"
        )
    status = response.status_code
    if status == 401:
        return f"the Hub does not accept the token for {name} (401); log in again with 'hf auth login', or set HF_TOKEN"
    if status == 403:
        return f"the token may not write to {name} (403); use one with write access, or name a repository of your own"
    said = (getattr(error, "server_message", None) or "").splitlines()
    return f"the Hub answered {status} for {name}{': ' + said[0] if said else ''}; run again, or see its status page"


def fetch_text(name: str, kind: Kind, path: str) -> str:
    """The text of a file of a repository, which is kept in the client's cache.

    Raises `HubError` when there is none, or the Hub is not reached.
    """
    with in_sentences(name):
        return Path(HfApi().hf_hub_download(name, path, repo_type=kind)).read_text(encoding="utf-8", errors="replace")


def in_sentences(name: str) -> AbstractContextManager[None]:
    """A context in which errors of the Hub's client about the repository ``name`` become a `HubError`."""
    return _sentences(name)
