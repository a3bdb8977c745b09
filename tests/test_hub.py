"""The loopback Hub does what the real client asks of the real one, for repositories of models as well."""

import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

from tests import loopback_hub as loopback

TOKEN = "hf_a_token"
SCRIPT = """
import pathlib, sys
from huggingface_hub import HfApi, snapshot_download
folder = pathlib.Path(sys.argv[1])
folder.joinpath("model.safetensors").write_bytes(bytes(range(256)) * 100)
folder.joinpath("config.json").write_text("{}")
folder.joinpath("README.md").write_text("---\\nlicense: mit\\n---\\n")
api = HfApi()
api.create_repo("ada/net", private=True)
api.create_repo("ada/net", exist_ok=True)
api.upload_folder(repo_id="ada/net", folder_path=folder)
api.upload_file(repo_id="ada/net", path_or_fileobj=b"more", path_in_repo="notes/more.txt")
api.delete_file("config.json", "ada/net")
print(sorted(api.list_repo_files("ada/net")), api.model_info("ada/net").private)
print([type(entry).__name__ for entry in api.list_repo_tree("ada/net", expand=True)])
print([info.path for info in api.get_paths_info("ada/net", ["model.safetensors", "notes", "nowhere"])])
there = pathlib.Path(snapshot_download("ada/net"))
assert there.joinpath("model.safetensors").read_bytes() == folder.joinpath("model.safetensors").read_bytes()
assert there.joinpath("notes/more.txt").read_text() == "more"
"""


def test_a_model_goes_there_and_comes_back(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    with loopback.serving({TOKEN: "ada"}) as hub:
        environment = hub.environment(tmp_path / "home", TOKEN)
        command = [sys.executable, "-c", SCRIPT, str(tmp_path / "model")]
        result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
        assert result.returncode == 0, result.stderr
        assert hub.uploaded() == 25_600
        with pytest.raises(RepositoryNotFoundError):
            HfApi(endpoint=hub.url, token=False).model_info("ada/net")
        with pytest.raises(HfHubHTTPError, match="403"):
            HfApi(endpoint=hub.url, token=TOKEN).create_repo("eve/net")
    assert result.stdout.splitlines() == [
        "['.gitattributes', 'README.md', 'model.safetensors', 'notes/more.txt'] True",
        "['RepoFolder', 'RepoFile', 'RepoFile', 'RepoFile']",
        "['model.safetensors', 'notes']",
    ]
