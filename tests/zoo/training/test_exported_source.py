"""Reading an export: by its record and its content, whatever its folder is called, and never damaged pairs."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from coarsekit.cli.main import main as coarsekit
from coarsekit.datasets.base import CC_BY_4
from coarsekit.errors import ParameterError, SourceError
from coarsekit.export.footer import read_footer
from tests import export_support as support
from zoo.cli.main import main
from zoo.training.exported_source import Export

TINY = ("--set", "variant=proto", "--set", "width=2", "--set", "size=32", "--set", "batch=4", "--set", "epochs=1")
TINY += ("--set", "samples=8", "--device", "cpu", "--quiet")


def export(source: str, folder: Path, *options: object) -> None:
    result = CliRunner().invoke(coarsekit, ["export", source, "-o", str(folder), "-q", *map(str, options)])
    assert result.exit_code == 0, result.output


def train(source: str, out: Path, split: str = "train") -> Any:
    return CliRunner().invoke(main, ["train", source, "-o", str(out), "--split", split, *TINY])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    return support.idrid(tmp_path_factory.mktemp("idrid"), 10, (60, 80))


@pytest.fixture(scope="module")
def original(data: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten photographs, two shards."""
    folder = tmp_path_factory.mktemp("exported") / "pairs"
    export(data, folder, "--size", 16)
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(original, tmp_path / "pairs"))


def rows(folder: str, cache: Path) -> list[Any]:
    return list(Export(f"pairs:{folder}").rows("train", [1.0], cache))


@pytest.mark.parametrize("name", ["e[4]", "a*b?", "{x,y}", "ä ö", "a#b%20", "ada/eight"])
def test_the_name_of_a_folder_is_no_pattern_and_no_repository(
    original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for decoy in ("e4", "aXbY", "x", "y"):  # what such a pattern would find
        shutil.copytree(original / "reduction-1.0", tmp_path / decoy / "reduction-1.0")
    shutil.copytree(original, tmp_path / name)
    assert rows(name, tmp_path / "cache") == rows(str(original), tmp_path / "other")


def test_it_knows_the_data_that_it_is_of(original: Path) -> None:
    export = Export(f"pairs:{original}")
    assert (export.name, export.reader, export.licence) == ("idrid-coarse", "idrid", CC_BY_4)
    assert "doi.org/10.3390/data3030025" in export.citation
    assert export.describe()["licence"]["name"] == "CC-BY-4.0"
    record = json.loads((original / "provenance.json").read_text())["photographs"]["train"]
    assert export.photographs("train") == {key: own["photograph_sha256"] for key, own in record.items()}
    assert len(set(export.photographs("train").values())) == 4  # the others are links to these


def test_replaced_pairs_are_not_taken_from_the_cache(folder: Path, data: str, tmp_path: Path) -> None:
    before, digest = rows(str(folder), tmp_path / "cache"), Export(f"pairs:{folder}").content_sha256("train", [1.0])
    times = {path: path.stat() for path in folder.rglob("*.parquet")}
    export(data, folder, "--size", 16, "--seed", 1, "--force")
    assert rows(str(folder), tmp_path / "cache") != before
    assert Export(f"pairs:{folder}").content_sha256("train", [1.0]) != digest
    export(data, folder, "--size", 16, "--force")
    assert times.keys() == set(folder.rglob("*.parquet"))
    assert rows(str(folder), tmp_path / "cache") == before
    assert Export(f"pairs:{folder}").content_sha256("train", [1.0]) == digest


def test_a_split_goes_by_the_name_that_it_is_published_under_or_its_own(tmp_path: Path) -> None:
    export("sample", tmp_path / "pairs", "--size", 16)
    record = tmp_path / "pairs" / "provenance.json"
    assert Export(f"pairs:{record.parent}").keys("validation") == ("IDRiD_19", "IDRiD_46")
    for own, published in (("all", "train"), ("part-1", "part_1")):
        content = json.loads(record.read_text())
        content["photographs"] = {own: next(iter(content["photographs"].values()))}
        record.write_text(json.dumps(content))
        for path in record.parent.glob("*/*-00000.parquet"):
            path.rename(path.with_name(f"{published}-00000.parquet"))
        source = Export(f"pairs:{record.parent}")
        assert source.keys(own) == source.keys(published)
        assert len(source.rows(own, [1.0], tmp_path / own)) == len(source.rows(published, [1.0], tmp_path / own)) > 0
        with pytest.raises(ParameterError, match=f"no split 'test'; choose one of {published}"):
            source.keys("test")


def of_another_mask(folder: Path) -> None:
    record = folder / "provenance.json"
    content = json.loads(record.read_text())
    content["photographs"]["train"]["IDRiD_009"]["masks_sha256"] = "0"
    record.write_text(json.dumps(content))


def damaged_footer(folder: Path) -> None:
    path = folder / "reduction-1.0" / "train-00001.parquet"
    data = bytearray(path.read_bytes())
    data[-40:-20] = b"\xff" * 20
    path.write_bytes(data)


def damaged_rows(folder: Path) -> None:
    path = folder / "reduction-1.0" / "train-00001.parquet"
    data = bytearray(path.read_bytes())
    data[100:4000] = b"\xff" * 3900
    path.write_bytes(data)


def cut_short(folder: Path) -> None:
    path = folder / "reduction-1.0" / "train-00001.parquet"
    path.write_bytes(path.read_bytes()[:50])


def lost(folder: Path) -> None:
    (folder / "reduction-1.0" / "train-00001.parquet").unlink()


def rewritten(change: Callable[[list[dict[str, Any]]], object]) -> Callable[[Path], None]:
    """Change the rows of a shard, and leave its footer as it was."""

    def damage(folder: Path) -> None:
        path = folder / "reduction-1.0" / "train-00000.parquet"
        table = pq.read_table(path)
        told = pq.read_metadata(path).metadata
        pairs = table.to_pylist()
        change(pairs)
        written = pa.Table.from_pylist(pairs, table.schema)
        with pq.ParquetWriter(path, written.schema) as writer:
            writer.write_table(written)
            writer.add_key_value_metadata({b"coarsekit": told[b"coarsekit"]})
        assert read_footer(path)["content"]

    return damage


def every(**values: Any) -> Callable[[list[dict[str, Any]]], object]:
    return lambda pairs: [pair.update(values) for pair in pairs]


DAMAGES = {
    "another mask": (of_another_mask, "is of other photographs or masks than provenance.json says"),
    "footer": (damaged_footer, "is not a whole shard of pairs"),
    "rows": (damaged_rows, "cannot be read"),
    "short": (cut_short, "is not a whole shard of pairs"),
    "lost": (lost, "train-00001.parquet is missing"),
    "lesion -1": (rewritten(every(lesion=-1)), "lesion number -1"),
    "lesion 99": (rewritten(every(lesion=99)), "lesion number 99"),
    "no lesion": (rewritten(every(lesion=None)), "lesion number None"),
    "strange": (rewritten(every(photograph="x")), "photograph 'x'"),
    "no image": (rewritten(every(image={"bytes": b"GIF89a", "path": None})), "is damaged"),
    "no bytes": (rewritten(every(image=None)), "is damaged"),
    "grey": (rewritten(lambda pairs: [pair.update(image=pair["fine"]) for pair in pairs]), "image and masks of shapes"),
    "no number": (rewritten(every(ellipse=dict.fromkeys(("cx", "cy", "rx", "ry", "angle")))), "is damaged"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_pairs_are_one_sentence(folder: Path, tmp_path: Path, damage: str) -> None:
    spoil, sentence = DAMAGES[damage]
    spoil(folder)
    result = train(f"pairs:{folder}", tmp_path / "out")
    assert result.exit_code == 2, result.output
    assert (sentence in result.stderr, "export" in result.stderr, result.stderr.count("\n")) == (True, True, 1)
    assert not (tmp_path / "out" / "model.safetensors").exists()


def without(*names: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda content: {name: value for name, value in content.items() if name not in names}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (without("photographs"), "is an unfinished export; run the same export again to go on"),
        (without("pairs_version", "reader"), "was exported by an older version; export it again"),
        (without("licence"), "licence is missing"),
        (lambda content: content | {"photographs": {"train": ["a"]}}, "photographs.train"),
        (lambda content: content | {"photographs_per_shard": 0}, "photographs_per_shard: expected greater than 0"),
        (lambda content: [content], "expected"),
    ],
)
def test_a_record_that_does_not_say_what_the_pairs_are_of_is_one_sentence(
    folder: Path, change: Callable[[dict[str, Any]], Any], sentence: str
) -> None:
    record = folder / "provenance.json"
    record.write_text(json.dumps(change(json.loads(record.read_text()))))
    with pytest.raises(SourceError, match=sentence):
        Export(f"pairs:{folder}")


def test_the_pairs_of_healthy_photographs_are_none(data: str, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(data.removeprefix("idrid:"), tmp_path / "data"))
    for mask in copy.rglob("IDRiD_00[1-3]_*.tif"):
        mask.unlink()
    export(f"idrid:{copy}", tmp_path / "pairs", "--size", 16)
    assert len(Export(f"pairs:{tmp_path / 'pairs'}").keys("train")) == 10
    result = train(f"pairs:{tmp_path / 'pairs'}", tmp_path / "out")
    assert result.exit_code == 0, result.output


def test_a_split_without_a_lesion_is_one_sentence(data: str, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(data.removeprefix("idrid:"), tmp_path / "data"))
    for folder in list(copy.rglob("a. Training Set")):
        for path in list(shutil.copytree(folder, folder.with_name("b. Testing Set")).rglob("*.jpg")):
            path.rename(path.with_name(path.name.replace("IDRiD_0", "IDRiD_1")))
    for mask in copy.rglob("b. Testing Set/*/*.tif"):
        mask.unlink()
    export(f"idrid:{copy}", tmp_path / "pairs", "--size", 16)
    result = train(f"pairs:{tmp_path / 'pairs'}", tmp_path / "out", "test")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1), result.output
    assert "no photograph of the split test shows a lesion" in result.stderr
    assert train(f"pairs:{tmp_path / 'pairs'}", tmp_path / "out").exit_code == 0


def test_the_record_of_a_training_names_the_pairs_and_their_licence(folder: Path, data: str, tmp_path: Path) -> None:
    assert train(f"pairs:{folder}", tmp_path / "out").exit_code == 0
    record = json.loads((tmp_path / "out" / "training.json").read_text())
    pairs = Export(f"pairs:{folder}")
    assert record["source"] == pairs.describe()
    assert record["pairs_sha256"] == {"idrid-coarse": pairs.content_sha256("train", [1.0])}
    assert record["photograph_sha256"] == pairs.photographs("train")
    card = CliRunner().invoke(main, ["card", str(tmp_path / "out")])
    assert card.exit_code == 0, card.output
    assert "license: cc-by-4.0" in card.stdout
    assert "doi.org/10.3390/data3030025" in card.stdout
    export(data, folder, "--size", 16, "--seed", 1, "--force")
    resumed = CliRunner().invoke(main, ["train", "-o", str(tmp_path / "out"), "--resume", "--set", "epochs=2", "-q"])
    assert resumed.exit_code == 2, resumed.output
    assert "the pairs of idrid-coarse differ from the interrupted training" in resumed.stderr
