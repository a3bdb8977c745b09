"""Export to the Hub, with the real client against a Hub on the loopback interface; every command in its own process."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from huggingface_hub import HfApi
from huggingface_hub.errors import RepositoryNotFoundError

from coarsekit.cli.main import main
from coarsekit.datasets import reader
from coarsekit.datasets.base import Licence
from tests import export_support as support
from tests import loopback_hub as loopback

TOKEN, READER = "hf_a_token_that_may_write", "hf_a_token_that_may_only_read"
LOAD = """
import hashlib, sys
import datasets
for name in sys.argv[1:]:
    for split, rows in datasets.load_dataset(name, "reduction-1.0").items():
        for row in rows:
            pixels = (row[name].tobytes() for name in ("image", "coarse", "fine"))
            print(split, row["photograph"], *(hashlib.sha256(part).hexdigest() for part in pixels))
    print("end")
"""


@pytest.fixture(scope="module")
def hub() -> Iterator[Any]:
    with loopback.serving({TOKEN: "ada", READER: "ada"}, frozenset({READER})) as hub:
        yield hub


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    return support.idrid(tmp_path_factory.mktemp("idrid"), 10)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exported") / "pairs"


@pytest.fixture(scope="module")
def push(hub: Any, source: str, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Run ``coarsekit export`` of ten small photographs with further options; no token may ever be printed."""

    def run(*options: object, token: str | None = TOKEN, to: Path = folder) -> subprocess.CompletedProcess[str]:
        environment = hub.environment(tmp_path_factory.mktemp("home"), token)
        result = support.export(source, "--size", 16, "-o", to, *options, environment=environment)
        assert "Traceback" not in result.stderr
        assert not any(secret in result.stdout + result.stderr for secret in (TOKEN, READER))
        return result

    return run


@pytest.fixture(scope="module")
def pushed(hub: Any, push: Any) -> Any:
    """The repository after a first push."""
    result = push("--hub")
    assert result.returncode == 0, result.stderr
    return hub.repository("ada/idrid-coarse")


def refused(result: subprocess.CompletedProcess[str]) -> str:
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1), result
    return result.stderr


def load(hub: Any, home: Path, *names: str, token: str | None = None) -> list[str]:
    """What a process of its own loads of each of ``names``, a line for every row."""
    command = [sys.executable, "-c", LOAD, *names]
    environment = hub.environment(home, token)
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert result.returncode == 0, result.stderr
    return result.stdout.split("end\n")[:-1]


def test_the_sample_is_pushed_and_loads_with_the_same_pixels(hub: Any, tmp_path: Path) -> None:
    command = [support.COMMAND, "export", "--hub", "--json"]
    environment = hub.environment(tmp_path / "home", TOKEN)
    pushed = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    told = json.loads(pushed.stdout)
    assert told["repository"] == f"{hub.url}/datasets/ada/sample-coarse"
    assert TOKEN not in pushed.stdout + pushed.stderr
    assert not hub.repository("ada/sample-coarse").private

    there, here = load(hub, tmp_path / "other", "ada/sample-coarse", str(tmp_path / told["folder"]))
    assert there == here
    assert there.count("\n") == sum(row["pairs"] for row in told["rows"])


def test_a_second_push_sends_nothing_large_and_makes_no_commit(hub: Any, push: Any, pushed: Any, folder: Path) -> None:
    assert {path: file.content for path, file in pushed.files.items() if path != ".gitattributes"} == {
        str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
    before = hub.uploaded(), list(pushed.commits)
    assert before[0] >= sum(path.stat().st_size for path in folder.rglob("*.parquet"))
    assert push("--hub", "ada/idrid-coarse").returncode == 0
    assert (hub.uploaded(), list(pushed.commits)) == before


def test_another_export_is_not_pushed_over(push: Any, pushed: Any, tmp_path: Path) -> None:
    before = pushed.files
    assert "ada/idrid-coarse has something else; give --force" in refused(push("--hub", "--seed", 1, to=tmp_path / "x"))
    assert pushed.files == before
    assert not (tmp_path / "x").exists()


def test_forced_it_replaces_every_shard_that_was_there(hub: Any, push: Any, tmp_path: Path) -> None:
    repository = loopback.Repository("ada/mine", "dataset", private=False)
    stale = {"reduction-2.0/train-00007.parquet": loopback.File(b"stale", large=True)}
    repository.commit({**repository.files, **stale, "notes.txt": loopback.File(b"mine", large=False)}, "by hand")
    hub.repositories["dataset", "ada/mine"] = repository
    result = push("--hub", "mine", "--reduction", "2", "--force", to=tmp_path / "pairs")
    assert result.returncode == 0, result.stderr
    assert sorted(repository.files) == [
        ".gitattributes",
        "README.md",
        "idrid-coarse.jpg",
        "notes.txt",
        "provenance.json",
        "reduction-2.0/train-00000.parquet",
        "reduction-2.0/train-00001.parquet",
    ]


def test_a_private_repository_is_private(hub: Any, push: Any, tmp_path: Path) -> None:
    assert push("--hub", "hidden", "--private").returncode == 0
    assert hub.repository("ada/hidden").private
    with pytest.raises(RepositoryNotFoundError):
        HfApi(endpoint=hub.url, token=False).repo_info("ada/hidden", repo_type="dataset")
    (own,) = load(hub, tmp_path, "ada/hidden", token=TOKEN)
    assert own


def test_what_is_to_be_private_never_goes_to_a_public_repository(hub: Any, push: Any, pushed: Any) -> None:
    sent = hub.uploaded()
    assert "ada/idrid-coarse is public already" in refused(push("--hub", "--private"))
    assert hub.uploaded() == sent


@pytest.mark.parametrize(
    ("options", "token", "sentence"),
    [
        (("--hub",), None, "no Hugging Face token was found; log in with 'hf auth login', or set HF_TOKEN"),
        (("--hub",), "hf_unknown", "the Hub does not accept the token for idrid-coarse (401)"),
        (("--hub", "eve/pairs"), TOKEN, "the token may not write to eve/pairs (403)"),
        (("--hub", "new"), READER, "the token may not write to ada/new (403)"),
        (("--hub", "no good"), TOKEN, "'ada/no good' is not a name of a repository; write USER/NAME"),
    ],
)
def test_who_may_not_push_is_told_why_in_one_sentence(
    push: Any, options: tuple[str, ...], token: str | None, sentence: str
) -> None:
    result = push(*options, token=token)
    assert sentence in refused(result)
    assert "hf_unknown" not in result.stderr


def test_a_hub_that_is_not_there_is_one_sentence(hub: Any, source: str, tmp_path: Path) -> None:
    environment = hub.environment(tmp_path / "home", TOKEN) | {"HF_ENDPOINT": "http://127.0.0.1:9"}
    result = support.export(source, "--hub", "-o", tmp_path / "pairs", environment=environment)
    assert "the Hub was not reached for idrid-coarse" in refused(result)


def test_data_that_may_not_be_passed_on_is_not_pushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    licence = Licence("Research only", "https://example.org/terms", redistribution=False)
    monkeypatch.setattr(reader("sample"), "licence", licence)
    monkeypatch.chdir(tmp_path)
    refusal = CliRunner().invoke(main, ["export", "--hub", "ada/secret"])
    assert (refusal.exit_code, refusal.stdout) == (2, "")
    assert "may not be passed on (licence Research only, https://example.org/terms)" in refusal.stderr
    assert "give --out and leave --hub out" in refusal.stderr
    assert list(tmp_path.iterdir()) == []

    kept = CliRunner().invoke(main, ["export", "-o", "pairs", "--size", "16", "-q"])
    assert kept.exit_code == 0, kept.output
    card = (tmp_path / "pairs" / "README.md").read_text()
    assert "license: other" in card
    assert "license_name: research-only" in card
    assert "**not be passed on**" in card


def test_pairs_of_a_corrected_mask_are_not_pushed_over_others_silently(
    hub: Any, push: Any, source: str, tmp_path: Path
) -> None:
    assert push("--hub", "corrected", to=tmp_path / "pairs").returncode == 0
    repository = hub.repository("ada/corrected")
    before = repository.files
    mask = next(Path(source.removeprefix("idrid:")).rglob("IDRiD_009_MA.tif"))
    kept = mask.read_bytes()
    mask.unlink()  # it is a link to another photograph's
    try:
        assert (
            "ada/corrected has something else; give --force" in push("--hub", "corrected", to=tmp_path / "pairs").stderr
        )
        assert repository.files == before
        assert push("--hub", "corrected", "--force", to=tmp_path / "pairs").returncode == 0
        pushed = {name: file.content for name, file in repository.files.items() if name.endswith("parquet")}
        assert {name: (tmp_path / "pairs" / name).read_bytes() for name in pushed} == pushed
        assert repository.files["reduction-1.0/train-00001.parquet"] != before["reduction-1.0/train-00001.parquet"]
    finally:
        mask.write_bytes(kept)


def test_a_push_that_was_broken_off_goes_on(hub: Any, push: Any, folder: Path, pushed: Any) -> None:
    repository = loopback.Repository("ada/broken", "dataset", private=False)
    record = loopback.File((folder / "provenance.json").read_bytes(), large=False)
    repository.commit({**repository.files, "provenance.json": record}, "Say what is to come: provenance.json")
    hub.repositories["dataset", "ada/broken"] = repository
    assert push("--hub", "broken").returncode == 0
    assert repository.files.keys() == pushed.files.keys()
