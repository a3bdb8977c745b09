"""A Hub that lies: other bytes, names that lead out of the cache, answers that are none."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from huggingface_hub import constants

import zoo
from coarsekit.cli.main import main as coarsekit
from coarsekit.errors import HubError
from coarsekit.hub.upload import Repository, fetch_text
from tests import command_line, export_support, lying_hub
from tests.places import BUNDLED
from zoo.cli.main import main

# The Hub's client calls its HTTP library in a way that this library has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
NAMES = ["../../../evil", "..", "", "/tmp/evil", "..\\evil", "0" * 300, "0" * 39, "G" * 40, "config.json"]
STREAM = """
import sys
from pathlib import Path
from coarsekit.errors import HubError
from zoo.training.exported_source import Export
try:
    print(len(next(iter(Export("hub:o/pairs").rows("train", [1.0], Path("cache"))))))
except HubError as error:
    sys.exit(str(error))
"""


@pytest.fixture
def there(hub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A Hub with the refiner lite as o/x, and a cache deep in a folder in which nothing else is."""
    lying_hub.serve_folder(hub, "model", "o/x", BUNDLED / "lite")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "1" / "2" / "cache"))
    return hub


def refusal(what: Callable[[], object]) -> str:
    with pytest.raises(HubError) as caught:
        what()
    sentence = str(caught.value)
    assert sentence.isprintable()
    assert len(sentence) < 500
    return sentence


def outside(folder: Path) -> list[Path]:
    """Files that are not in the cache."""
    return [path for path in folder.rglob("*") if path.is_file() and "cache" not in path.parts]


@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "training.json"])
@pytest.mark.parametrize("links", [True, False])
def test_what_is_not_what_its_hash_says_is_refused_and_not_kept(
    there: Any, file: str, links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_SYMLINKS", not links)

    there.lie = lying_hub.other_bytes_of(file)
    for _ in range(2):
        assert f"o/x: {file} is not what the Hub's" in refusal(lambda: zoo.from_pretrained("o/x"))
    told = command_line.refusal(command_line.run(main, "pull", "o/x"))
    assert ("SHA-256" in told) == (file == "model.safetensors")
    assert not list(Path(constants.HF_HUB_CACHE).rglob(file))
    there.lie = None
    assert zoo.from_pretrained("o/x").trained_on == "idrid train"


def test_what_was_damaged_in_the_cache_is_fetched_anew(there: Any) -> None:
    zoo.from_pretrained("o/x")
    (weights,) = Path(constants.HF_HUB_CACHE).rglob("model.safetensors")
    weights.resolve().write_bytes(weights.read_bytes()[:-1] + b"!")
    assert "SHA-256" in refusal(lambda: zoo.from_pretrained("o/x", local_files_only=True))
    assert zoo.from_pretrained("o/x").trained_on == "idrid train"


@pytest.mark.parametrize("header", ["ETag", "X-Linked-Etag", "X-Repo-Commit", "X-Xet-Hash"])
@pytest.mark.parametrize("name", NAMES)
def test_no_name_of_the_hub_leads_out_of_the_cache(there: Any, tmp_path: Path, header: str, name: str) -> None:
    there.lie = lying_hub.headed(header, f'"{name}"' if "tag" in header.lower() else name)
    sentence = refusal(lambda: zoo.from_pretrained("o/x"))
    assert "that is no hash" in sentence
    assert "evil" not in sentence
    assert not outside(tmp_path)


@pytest.mark.parametrize("lie", [lying_hub.second_etag("../../../evil"), lying_hub.missing_at("../../../evil")])
def test_a_later_answer_is_looked_at_as_the_first(there: Any, tmp_path: Path, lie: Any) -> None:
    there.lie = lie
    assert "that is no hash" in refusal(lambda: zoo.from_pretrained("o/x"))
    assert not outside(tmp_path)


def test_a_redirection_within_the_hub_is_followed_to_its_hash(there: Any) -> None:
    def lie(answer: Any) -> None:
        if "/resolve/" in answer.path and "?" not in answer.path:
            answer.status, answer.content = 307, b""
            answer.fields = {"Location": f"{answer.path}?again", "ETag": 'W/"a/b="', "X-Repo-Commit": "0" * 40}

    there.lie = lie
    assert zoo.from_pretrained("o/x").trained_on == "idrid train"


@pytest.mark.parametrize("revision", ["../../../evil", "/tmp/evil", "a/../../../b", "a\\..\\b", "a\nb"])
def test_no_revision_leads_out_of_the_cache(there: Any, tmp_path: Path, revision: str) -> None:
    told = command_line.refusal(command_line.run(main, "pull", "o/x", "--revision", revision))
    assert "named that leads out of the repository" in told
    assert not outside(tmp_path)


def test_a_page_that_is_no_hub_is_not_called_offline(there: Any) -> None:
    def lie(answer: Any) -> None:
        answer.status, answer.content, answer.fields = 200, b"<html>Log in</html>", {"Content-Type": "text/html"}

    there.lie = lie
    told = command_line.refusal(command_line.run(main, "pull", "o/x"))
    assert "the Hub was not reached for its config.json" in told
    assert "offline" not in told


@pytest.mark.parametrize("offline", [True, False])
def test_the_place_that_was_meant_is_named_where_the_hub_is_not_reached(
    hub: Any, offline: bool, unreachable: Callable[[], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", offline)
    unreachable()
    told = command_line.refusal(command_line.run(main, "train", "hub:o/pairs", "-o", tmp_path / "out"))
    assert "the Hub was not reached for the provenance.json of the dataset o/pairs" in told
    assert ("unset HF_HUB_OFFLINE" in told) == offline
    assert ("check the connection" in told) != offline
    told = command_line.refusal(command_line.run(main, "refine", "sample", "--refiner", "o/x", "-o", tmp_path / "out"))
    assert "o/x is no folder here, and " in told
    assert ("offline" in told) == offline


@pytest.mark.parametrize("kind", ["dataset", "model"])
def test_the_record_of_a_repository_is_checked_too(there: Any, kind: Any, tmp_path: Path) -> None:
    (tmp_path / "repository").mkdir()
    (tmp_path / "repository" / "record.json").write_text("{}")
    lying_hub.serve_folder(there, kind, "o/y", tmp_path / "repository")
    assert fetch_text("o/y", kind, "record.json") == "{}"
    lying_hub.serve_folder(there, kind, "o/z", tmp_path / "repository")
    there.lie = lying_hub.other_bytes_of("record.json")
    assert "is not what the Hub's hash of it says" in refusal(lambda: fetch_text("o/z", kind, "record.json"))
    assert "is not what" in refusal(lambda: Repository("o/z", kind, "record.json").check("{}", force=False))


@pytest.mark.parametrize("answer", [b"[1]", b'"ada"', b"{}", b"null", b"no JSON", b'{"name": "../../x"}'])
def test_an_account_that_is_none_is_one_sentence(hub: Any, answer: bytes) -> None:
    hub.lie = lying_hub.whoami(answer)
    for name in ("o/y", "y"):
        told = command_line.refusal(command_line.run(main, "push", "shrink", name, "--no-metrics"))
        assert f" {name} cannot be understood" in told or f" {name}: " in told or "of the token's account" in told
        assert not hub.repositories


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500, 503])
@pytest.mark.parametrize("token", [lying_hub.SECRET, "no-usual-token%of+mine=="])
def test_no_answer_of_the_hub_prints_the_token(
    hub: Any, status: int, token: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    monkeypatch.setattr("time.sleep", lambda _: None)
    hub.lie = lying_hub.refusing(status, "\x1b[31m{token}\n{quoted} {coded} {spaced} \u202e" + "long " * 100)
    told = [command_line.run(main, *words) for words in (("push", "shrink", "y", "--no-metrics"), ("pull", "o/x"))]
    told.append(command_line.run(coarsekit, "export", "sample", "--hub", "o/pairs"))
    printed = "".join(result.output for result in told) + "".join(capfd.readouterr())
    for result in told:
        sentence = command_line.refusal(result)
        assert sentence.strip().isprintable()
        assert len(sentence) < 500
    compact = "".join(filter(str.isalnum, printed))
    assert not any(
        part in compact for part in ("SECRET", "usualtoken", "U0VDUkVU", "dXN1YWwtdG9rZW4", "VzdWFsLXRva2Vu")
    )


@pytest.mark.parametrize(
    ("lie", "sentence"),
    [
        (None, "7"),
        (lying_hub.headed("ETag", '"../../../evil"', "provenance.json"), "that is no hash"),
        (lying_hub.commit_of_information("../../../../evil"), "7"),  # the commit is that of provenance.json
        (lying_hub.other_bytes_of(".parquet"), "the pairs of the dataset o/pairs cannot be understood"),
    ],
)
def test_a_stream_leaves_nothing_outside_the_cache(
    hub: Any, lie: Any, sentence: str, tmp_path: Path, pairs: Path
) -> None:
    lying_hub.serve_folder(hub, "dataset", "o/pairs", pairs)
    hub.lie = lie
    environment = hub.environment(tmp_path / "1" / "2" / "cache", None)
    command = [sys.executable, "-c", STREAM]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=100
    )
    assert sentence in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert not outside(tmp_path)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported") / "pairs"
    source = export_support.idrid(tmp_path_factory.mktemp("idrid"), 1)
    options = ("-o", str(folder), "--size", "16", "--quiet")
    result = CliRunner().invoke(coarsekit, ["export", source, *options])
    assert result.exit_code == 0, result.output
    return folder
