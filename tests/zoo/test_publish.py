"""Push and pull with the real client, against a Hub on the loopback interface."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import Result
from huggingface_hub import HfApi, ModelCard, constants

import zoo
from coarsekit.errors import HubError, RefinerError
from tests import command_line
from zoo import from_pretrained
from zoo.checkpoints.folder import locate, weights_sha256
from zoo.cli.main import main
from zoo.models.base import network_class
from zoo.variants import REFINING_VERSION

TOKEN, READER = "hf_a_token_that_may_write", "hf_a_token_that_may_only_read"
# The Hub's client calls its HTTP library in a way that this library has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
FILES = {"config.json", "model.safetensors", "training.json"}


def run(*arguments: object) -> Result:
    """Run ``zoo``; no token may ever be printed."""
    result = command_line.run(main, *arguments)
    assert not any(secret in result.output for secret in (TOKEN, READER))
    return result


def wrong(*arguments: object) -> str:
    return command_line.refusal(run(*arguments))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small trained checkpoint."""
    torch.manual_seed(0)
    kind = network_class("unet")
    network = kind(kind.config_type(size=32, width=2))  # type: ignore[call-arg]
    network.trained_on = "idrid train"
    network.save(tmp_path / "mine", {"data": "idrid train", "seed": 0, "best_validation_iou": 50.0})
    return tmp_path / "mine"


def measured(path: Path, folder: Path, **changes: Any) -> Path:
    """What ``zoo evaluate … --json`` prints of a checkpoint."""
    row: dict[str, Any] = {
        "refiner": str(folder),
        "trained_on": "idrid train",
        "dataset": "idrid",
        "split": "test",
        "style": "human",
    }
    row |= {"weights_sha256": weights_sha256(folder), "refining_version": REFINING_VERSION, "reader": "idrid"}
    row |= {"dataset_sha256": "d1", "dataset_images": 27, "dataset_images_seen": 0, "style_sha256": "s1"}
    scores = {"reduction": 1.0, "seed": 0, "images": 27, "floor_iou": 8.5, "floor_iou_std": 1.0, "shrink_iou": 20.0}
    rows = [row | scores | {"lesion": name, "iou": iou, "iou_std": 2.0} for name, iou in (("MA", 40.0), ("SE", 61.0))]
    path.write_text(json.dumps({"rows": [each | changes for each in rows]}))
    return path


def test_what_is_pushed_is_what_is_loaded(hub: Any, folder: Path, tmp_path: Path) -> None:
    told = run("push", folder, "ada/mine", "--metrics", measured(tmp_path / "rows.json", folder), "--json")
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["repository"] == f"{hub.url}/ada/mine"
    held = hub.repository("ada/mine", "model").files
    assert held.keys() - {".gitattributes"} == FILES | {"metrics.json", "README.md"}
    assert all(held[name].content == (folder / name).read_bytes() for name in FILES | {"metrics.json"})

    there, here = zoo.from_pretrained("ada/mine"), zoo.from_pretrained(folder)
    assert (there.name, there.trained_on) == ("ada/mine", "idrid train")
    weights = here.state_dict()
    assert all(torch.equal(tensor, weights[name]) for name, tensor in there.state_dict().items())
    assert there.config == here.config


def test_the_card_on_the_hub_has_what_was_measured(hub: Any, folder: Path, tmp_path: Path) -> None:
    run("push", folder, "ada/mine", "--metrics", measured(tmp_path / "rows.json", folder))
    card = ModelCard(hub.repository("ada/mine", "model").files["README.md"].content.decode())
    assert card.data.license == "cc-by-4.0"
    assert {(r.metric_name, r.metric_value) for r in card.data.eval_results} == {
        ("IoU MA, percent", 40.0),
        ("IoU SE, percent", 61.0),
        ("IoU average, percent", 50.5),
    }
    assert 'zoo.from_pretrained("ada/mine")' in card.text


def test_nothing_unmeasured_is_pushed_unless_one_says_so(hub: Any, folder: Path) -> None:
    assert f"zoo evaluate SOURCE --split test --refiner {folder} --json" in wrong("push", folder, "ada/mine")
    assert not hub.repositories
    assert run("push", folder, "ada/mine", "--no-metrics").exit_code == 0
    assert "Not measured" in hub.repository("ada/mine", "model").files["README.md"].content.decode()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"refiner": "another", "weights_sha256": "0" * 64}, "measures another, not "),
        ({"weights_sha256": "0" * 64}, "measured of another"),
        ({"weights_sha256": None}, "rows: 0.weights_sha256: expected a valid string, got null"),
        (
            {"refining_version": REFINING_VERSION - 1},
            f"measured by version {REFINING_VERSION - 1} of what refines, and this is version {REFINING_VERSION}",
        ),
        ({"iou": "high"}, 'rows: 0.iou: expected a valid number, got "high"'),
        ({"style": None}, "rows: 0.style: expected a valid string, got null"),
    ],
)
def test_metrics_of_something_else_are_refused(
    hub: Any, folder: Path, tmp_path: Path, changes: dict, sentence: str
) -> None:
    path = measured(tmp_path / "rows.json", folder, **changes)
    assert sentence in wrong("push", folder, "ada/mine", "--metrics", path)
    assert not hub.repositories
    assert not (folder / "metrics.json").exists()


def test_metrics_of_earlier_weights_are_not_pushed_with_later_ones(hub: Any, folder: Path, tmp_path: Path) -> None:
    run("card", folder, "--metrics", measured(tmp_path / "rows.json", folder))
    network = from_pretrained(folder)
    with torch.no_grad():
        next(network.parameters()).add_(1)
    network.save(folder, {"seed": 1})
    assert "measured of other weights" in wrong("push", folder, "ada/mine")


def test_metrics_of_another_threshold_are_not_shown_as_this_one_s(hub: Any, folder: Path, tmp_path: Path) -> None:
    run("card", folder, "--metrics", measured(tmp_path / "rows.json", folder))
    config = json.loads((folder / "config.json").read_text())
    config["config"]["threshold"] = 0.31
    (folder / "config.json").write_text(json.dumps(config))
    assert "another config" in wrong("push", folder, "ada/mine")


def test_later_metrics_join_earlier_ones_and_replace_the_same(folder: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    run("card", folder, "--metrics", measured(first, folder), "--metrics", measured(second, folder, style="paper"))
    run("card", folder, "--metrics", measured(first, folder, iou=70.0))
    rows = json.loads((folder / "metrics.json").read_text())["rows"]
    assert [(r["style"], r["lesion"], r["iou"]) for r in rows] == [
        ("human", "MA", 70.0),
        ("human", "SE", 70.0),
        ("paper", "MA", 40.0),
        ("paper", "SE", 61.0),
    ]


def test_another_training_is_not_written_over_unless_forced(hub: Any, folder: Path) -> None:
    run("push", folder, "ada/mine", "--no-metrics")
    assert run("push", folder, "ada/mine", "--no-metrics").exit_code == 0
    repository = hub.repository("ada/mine", "model")
    first = repository.head
    (folder / "training.json").write_text('{"seed": 1}')
    assert "has something else; give --force" in wrong("push", folder, "ada/mine", "--no-metrics")
    assert repository.head == first
    assert run("push", folder, "ada/mine", "--no-metrics", "--force").exit_code == 0
    assert repository.head != first
    assert len(repository.commits) == 3  # the initial one, and one for each training
    assert zoo.from_pretrained("ada/mine", revision=first).record["seed"] == 0
    assert zoo.from_pretrained(f"ada/mine@{first}").record["seed"] == 0
    assert zoo.from_pretrained("ada/mine").record["seed"] == 1


def test_a_bundled_rule_goes_there_and_comes_back(hub: Any, tmp_path: Path) -> None:
    assert run("push", "shrink", "rule", "--no-metrics", "--private").exit_code == 0
    assert hub.repository("ada/rule", "model").private
    assert "model.safetensors" not in hub.repository("ada/rule", "model").files
    assert zoo.from_pretrained("ada/rule").amounts == zoo.from_pretrained("shrink").amounts


def test_a_damaged_checkpoint_is_not_pushed(hub: Any, folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"cut")
    assert "weights cannot be read" in wrong("push", folder, "ada/mine", "--no-metrics")
    assert not hub.log


@pytest.mark.parametrize(
    ("name", "token", "sentence"),
    [
        ("ada/mine", None, "no Hugging Face token was found"),
        ("mine", "hf_unknown", "does not accept the token"),
        ("eve/mine", TOKEN, "may not write to eve/mine (403)"),
        ("mine", READER, "may not write to ada/mine (403)"),
        ("no good", TOKEN, "is not a name of a repository"),
    ],
)
def test_who_may_not_push_is_told_why(
    hub: Any, name: str, token: str | None, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", token) if token else monkeypatch.delenv("HF_TOKEN")
    assert sentence in wrong("push", "shrink", name, "--no-metrics")


def test_metrics_and_no_metrics_exclude_each_other(folder: Path, tmp_path: Path) -> None:
    path = measured(tmp_path / "rows.json", folder)
    assert "exclude each other" in wrong("push", folder, "ada/mine", "--no-metrics", "--metrics", path)


def test_rows_are_known_by_their_weights_whatever_the_refiner_was_called(folder: Path, tmp_path: Path) -> None:
    path = measured(tmp_path / "rows.json", folder, refiner="as it was called before it was moved")
    assert run("card", folder, "--metrics", path).exit_code == 0
    assert len(json.loads((folder / "metrics.json").read_text())["rows"]) == 2


@pytest.mark.parametrize(("digest", "dropped"), [("dataset_sha256", 4), ("style_sha256", 2)])
def test_rows_of_a_dataset_or_style_that_has_changed_go_and_that_is_said(
    folder: Path, tmp_path: Path, digest: str, dropped: int
) -> None:
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    run("card", folder, "--metrics", measured(first, folder), "--metrics", measured(second, folder, style="paper"))
    result = run("card", folder, "--metrics", measured(first, folder, iou=70.0, **{digest: "changed"}))
    assert (
        f"{dropped} rows of other data, styles, weights or versions were dropped from {folder / 'metrics.json'}"
        in result.stderr
    )
    rows = json.loads((folder / "metrics.json").read_text())["rows"]
    kept = [("paper", "s1")] * (4 - dropped)
    assert [(r["style"], r[digest]) for r in rows] == kept + [("human", "changed")] * 2
    both = ("--metrics", measured(first, folder), "--metrics", measured(second, folder, **{digest: "other"}))
    assert "two different sets of photographs, masks or styles were measured as idrid" in wrong("card", folder, *both)


def test_rows_of_another_version_alone_go(folder: Path, tmp_path: Path) -> None:
    """As those of labels that are not known do, when what tells these has changed."""
    measured(folder / "metrics.json", folder)
    content = json.loads((folder / "metrics.json").read_text())
    stale = {"style": "paper", "refining_version": f"{REFINING_VERSION}.0"}
    content["rows"] += [row | stale for row in content["rows"]]
    (folder / "metrics.json").write_text(json.dumps(content))
    result = run("card", folder, "--metrics", measured(tmp_path / "rows.json", folder, style="mixed"))
    assert "2 rows of other data, styles, weights or versions were dropped" in result.stderr
    rows = json.loads((folder / "metrics.json").read_text())["rows"]
    assert sorted(row["style"] for row in rows) == ["human", "human", "mixed", "mixed"]


def test_pull_copies_a_checkpoint_that_needs_no_hub(hub: Any, folder: Path, tmp_path: Path) -> None:
    run("push", folder, "ada/mine", "--metrics", measured(tmp_path / "rows.json", folder))
    out = tmp_path / "pulled"
    told = run("pull", "ada/mine", "-o", out, "--json")
    assert json.loads(told.stdout)["folder"] == str(out)
    hub.repositories.clear()
    assert all((out / name).read_bytes() == (folder / name).read_bytes() for name in FILES | {"metrics.json"})
    assert not any(path.is_symlink() for path in out.iterdir())
    assert zoo.from_pretrained(out).trained_on == "idrid train"


def test_pull_writes_over_nothing_unless_forced_and_then_leaves_nothing_behind(
    hub: Any, folder: Path, tmp_path: Path
) -> None:
    run("push", "shrink", "ada/rule", "--no-metrics")
    assert "already there; give --force" in wrong("pull", "ada/rule", "-o", folder)
    assert run("pull", "ada/rule", "-o", folder, "--force").exit_code == 0
    assert {path.name for path in folder.iterdir()} == {
        "config.json",
        "training.json",
        "doubt.json",
        "README.md",
        "notes.md",
    }
    assert zoo.from_pretrained(folder).doubt == zoo.from_pretrained("shrink").doubt


def test_what_needs_no_torch_and_how_far_to_trust_it_go_there_and_come_back(
    hub: Any, folder: Path, tmp_path: Path
) -> None:
    assert run("export-onnx", folder, "--graph-only", "-o", folder / "model.onnx").exit_code == 0
    model = {"weights": {"share": 1.5}, "biases": {"": 0.0}}
    expected = {"fitted_on": {"weights_sha256": weights_sha256(folder)}, "model": model}
    (folder / "doubt.json").write_text(json.dumps(expected))
    run("push", folder, "ada/mine", "--no-metrics")
    for name in ("ada/mine", run("pull", "ada/mine", "-o", tmp_path / "pulled").stdout.strip()):
        refiner = zoo.from_pretrained(name, engine="onnx")
        assert (refiner.engine, refiner.trained_on) == ("onnx", "idrid train")
        assert refiner.doubt == zoo.from_pretrained(folder).doubt is not None


def test_what_is_of_other_weights_does_not_go_there_nor_stay(hub: Any, folder: Path) -> None:
    expected = {"fitted_on": {"weights_sha256": weights_sha256(folder)}, "model": {"weights": {}, "biases": {"": 0.0}}}
    (folder / "doubt.json").write_text(json.dumps(expected))
    run("push", folder, "ada/mine", "--no-metrics")
    config = json.loads((folder / "config.json").read_text())
    config["config"]["threshold"] = 0.4
    (folder / "config.json").write_text(json.dumps(config))
    told = run("push", folder, "ada/mine", "--no-metrics")
    assert told.exit_code == 0, told.output
    assert f"Left out: {folder / 'doubt.json'} was fitted to the weights" in told.stderr
    assert "doubt.json" not in hub.repository("ada/mine", "model").files
    (folder / "doubt.json").unlink()
    shutil.copyfile(locate("unet") / "model.onnx", folder / "model.onnx")
    assert "is of another network than" in wrong("push", folder, "ada/mine", "--no-metrics")


def test_pull_of_a_revision_says_where_it_lies(hub: Any, folder: Path) -> None:
    run("push", folder, "ada/mine", "--no-metrics")
    first = hub.repository("ada/mine", "model").head
    place = Path(run("pull", "ada/mine", "--revision", first).stdout.strip())
    assert (place.name, (place / "config.json").exists()) == (first, True)


def test_pull_wants_a_repository(folder: Path) -> None:
    assert "write ORG/NAME" in wrong("pull", "lite")
    assert "write ORG/NAME" in wrong("pull", folder)
    assert "did you mean 'shrink'" in wrong("push", "shrnk", "ada/rule", "--no-metrics")


def test_metrics_are_kept_beside_weights_on_this_disk_not_in_the_cache(hub: Any, folder: Path, tmp_path: Path) -> None:
    run("push", folder, "ada/mine", "--no-metrics")
    zoo.from_pretrained("ada/mine")
    assert "no refiner 'ada/mine'" in wrong("card", "ada/mine", "--metrics", measured(tmp_path / "rows.json", folder))


def test_only_what_a_checkpoint_holds_is_fetched(hub: Any, folder: Path, loopback: Any) -> None:
    run("push", folder, "ada/mine", "--no-metrics")
    repository = hub.repository("ada/mine", "model")
    code = loopback.File(b"raise SystemExit('run')", large=False)
    repository.commit(repository.files | {"modeling.py": code, "pytorch_model.bin": code}, "code")
    place = Path(run("pull", "ada/mine").stdout.strip())
    assert {path.name for path in place.iterdir()} == FILES | {"README.md"}


def test_what_is_cached_is_neither_asked_for_nor_sent_again(hub: Any, folder: Path) -> None:
    run("push", folder, "ada/mine", "--no-metrics")
    zoo.from_pretrained("ada/mine")
    hub.log.clear()
    zoo.from_pretrained("ada/mine")
    assert [(request.method, request.path) for request in hub.log] == [("HEAD", "/ada/mine/resolve/main/config.json")]


@pytest.mark.parametrize("how", ["local_files_only", "offline", "unreachable"])
def test_the_cache_serves_without_a_network(
    hub: Any, folder: Path, how: str, unreachable: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    run("push", folder, "ada/mine", "--no-metrics")
    zoo.from_pretrained("ada/mine")
    hub.log.clear()
    if how == "offline":
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    elif how == "unreachable":
        unreachable()
    only = how == "local_files_only"
    assert zoo.from_pretrained("ada/mine", local_files_only=only).trained_on == "idrid train"
    reason = (
        "the Hub was not reached" if how == "unreachable" else "not in the Hub's cache, where alone offline mode looks"
    )
    with pytest.raises(HubError, match=rf"^ada/other is no folder here, and .*{reason}"):
        zoo.from_pretrained("ada/other", local_files_only=only)
    assert not hub.log


def test_a_private_repository_without_a_token_is_one_sentence(
    hub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("push", "shrink", "ada/hidden", "--no-metrics", "--private")
    assert zoo.from_pretrained("ada/hidden").variant == "shrink"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "empty"))
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(HubError, match="log in with 'hf auth login' if it is private"):
        zoo.from_pretrained("ada/hidden")
    assert "log in with 'hf auth login' if it is private" in wrong("pull", "ada/hidden")
    assert zoo.from_pretrained("ada/hidden", token=TOKEN).variant == "shrink"


@pytest.mark.parametrize(
    ("name", "files", "sentence"),
    [
        ("ada/nowhere", None, "no folder and no repository ada/nowhere on the Hub"),
        ("ada/there@v9", {"config.json": "{}"}, "ada/there has no revision 'v9'"),
        ("ada/there", {"README.md": "hello"}, r"ada/there has no config\.json; see what the repository has"),
        ("ada/there", {"config.json": '{"model_type": "bert"}'}, "no refiner of this zoo"),
        ("ada/there", {"config.json": '{"format": 2, "variant": "unet", "config": {}}'}, "format 2 is not 1.*update"),
        ("ada/there", {"config.json": '{"format": 1, "variant": "unet", "config": {}}'}, r"has no model\.safetensors"),
    ],
)
def test_what_cannot_be_loaded_from_the_hub_is_one_sentence(
    hub: Any, loopback: Any, name: str, files: dict[str, str] | None, sentence: str
) -> None:
    if files is not None:
        repository = loopback.Repository("ada/there", "model", private=False)
        repository.commit({path: loopback.File(text.encode(), large=False) for path, text in files.items()}, "x")
        hub.repositories["model", "ada/there"] = repository
    with pytest.raises((HubError, RefinerError), match=sentence) as refusal:
        zoo.from_pretrained(name)
    assert "\n" not in str(refusal.value)


def test_a_path_that_is_there_never_touches_the_network(
    hub: Any, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(folder, tmp_path / "ada" / "mine")
    (tmp_path / "ada" / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    zoo.from_pretrained("ada/mine")
    with pytest.raises(RefinerError, match="not a checkpoint folder"):
        zoo.from_pretrained("ada/empty")
    with pytest.raises(RefinerError, match="no refiner"):
        zoo.from_pretrained(Path("ada/nowhere"))
    with pytest.raises(RefinerError, match="has no revision 'v1'"):
        zoo.from_pretrained("lite", revision="v1")
    assert not hub.log


def test_the_ecosystem_pushes_and_loads_by_class(hub: Any, folder: Path) -> None:
    network = zoo.from_pretrained(folder)
    network.push_to_hub("ada/mine", private=True)
    held = hub.repository("ada/mine", "model")
    assert held.private
    assert held.files.keys() - {".gitattributes"} == FILES | {"README.md"}
    assert "# mine" in held.files["README.md"].content.decode()
    there = type(network).from_pretrained("ada/mine")
    assert there.record == network.record
    assert isinstance(zoo.Refiner.from_pretrained("ada/mine"), type(network))
    with pytest.raises(RefinerError, match="is a refiner of the variant unet, not proto"):
        network_class("proto").from_pretrained("ada/mine")


def test_every_command_takes_a_repository_as_refiner(hub: Any, tmp_path: Path) -> None:
    run("push", "shrink", "ada/rule", "--no-metrics")
    refined = run("refine", "sample", "--refiner", "ada/rule", "-o", tmp_path / "out", "--json")
    assert json.loads(refined.stdout)["records"][0]["refiner"] == "ada/rule"


def test_the_console_pushes_pulls_and_lists_in_processes_of_their_own(hub: Any, tmp_path: Path) -> None:
    def zoo_command(*arguments: str, token: str | None = TOKEN, **more: str) -> subprocess.CompletedProcess[str]:
        environment = hub.environment(tmp_path / "home", token) | more
        command = [Path(sys.executable).with_name("zoo"), *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
        assert TOKEN not in done.stdout + done.stderr
        return done

    pushed = zoo_command("push", "shrink", "ada/rule")
    assert (pushed.returncode, pushed.stdout) == (0, ""), pushed.stderr
    assert HfApi(endpoint=hub.url, token=False).model_info("ada/rule").id == "ada/rule"
    assert zoo_command("pull", "ada/rule", token=None).returncode == 0
    listed = zoo_command("list", "--json", token=None, HF_HUB_OFFLINE="1")
    rows = {row["refiner"]: row for row in json.loads(listed.stdout)["refiners"]}
    assert rows["ada/rule"]["place"] == "cached"
    same = ("variant", "trained_on", "validation_iou", "test_iou")
    assert all(rows["ada/rule"][name] == rows["shrink"][name] for name in same)
    assert rows["shrink"]["test_iou"] is not None


@pytest.mark.parametrize("command", ["evaluate", "robustness"])
def test_rows_that_a_command_printed_belong_to_the_weights_that_it_measured(
    hub: Any, folder: Path, tmp_path: Path, command: str
) -> None:
    only = ["--lesion", "SE"] if command == "evaluate" else ["--only", "warm"]
    printed = run(command, "sample", "--refiner", folder, *only, "--json")
    assert printed.exit_code == 0, printed.output
    rows = json.loads(printed.stdout)["rows"]
    assert {row["weights_sha256"] for row in rows} == {weights_sha256(folder)}
    (tmp_path / "rows.json").write_text(printed.stdout)
    accepted = run("card", folder, "--metrics", tmp_path / "rows.json")
    assert accepted.exit_code == 0, accepted.output
    network = from_pretrained(folder)
    with torch.no_grad():
        next(network.parameters()).add_(1)
    network.save(folder, {"seed": 1})
    for arguments in (("push", folder, "ada/mine"), ("card", folder)):
        assert "measured of another" in wrong(*arguments, "--metrics", tmp_path / "rows.json")
    assert not hub.repositories
    for row in rows:
        del row["weights_sha256"]
    (tmp_path / "rows.json").write_text(json.dumps({"rows": rows}))
    assert "weights_sha256 is missing" in wrong("push", folder, "ada/mine", "--metrics", tmp_path / "rows.json")


def test_a_photograph_refined_by_other_weights_of_the_same_name_is_not_taken_for_done(
    folder: Path, tmp_path: Path
) -> None:
    arguments = ("refine", "sample", "--refiner", folder, "-o", tmp_path / "out", "--json")
    first = run(*arguments)
    records = json.loads(first.stdout)["records"]
    assert records[0]["weights_sha256"] == weights_sha256(folder)
    assert json.loads(run(*arguments).stdout)["records"] == records
    network = from_pretrained(folder)
    with torch.no_grad():
        next(network.parameters()).add_(1)
    network.save(folder, {"seed": 0})
    refused = run(*arguments)
    assert (refused.exit_code, json.loads(refused.stdout)["records"]) == (1, [])
    assert refused.stderr.count("is of another refiner, or other weights; give --force to write over it") == 2
