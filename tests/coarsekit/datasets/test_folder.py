"""Any folder, as coarsekit.toml or the SOURCE describes it; and what hostile descriptions get: one sentence."""

import json
import re
import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from skimage.draw import polygon2mask

from coarsekit.annotations.rle import decompress, from_run_lengths
from coarsekit.datasets import open_source
from coarsekit.datasets.base import Dataset
from coarsekit.datasets.checks import check
from coarsekit.datasets.readable import readable
from coarsekit.errors import AnnotationError, CoarsekitError, ImageError, SourceError
from coarsekit.geometry import draw
from coarsekit.images import read_image
from coarsekit.types import Polygon
from tests import reader_trees
from tests.places import ROOT

TREES = vars(reader_trees)
photograph, lesions, grey, save, coco = (TREES[name] for name in ("photograph", "lesions", "grey", "save", "coco"))
write_folder, write_label_maps, write_coco = (TREES[f"write_{name}"] for name in ("folder", "label_maps", "coco"))


def test_a_mask_file_for_each_class(tmp_path: Path) -> None:
    dataset = open_source(write_folder(tmp_path))
    assert dataset.splits() == {"all": ("eye 0", "eye 1")}
    assert dataset.lesions == ("MA", "drusen")
    fundus = dataset.read("eye 1")
    assert np.array_equal(fundus.fine["drusen"], lesions(1))
    assert fundus.name == "eye 1.jpg"


def test_a_depth_that_only_the_values_of_a_photograph_tell_is_said(tmp_path: Path) -> None:
    source = write_folder(tmp_path)
    assert open_source(source).notes(["eye 0", "eye 1"]) == []
    width, height = photograph(0).size
    for stem, top in (("eye 0", 4095), ("eye 1", 65535)):
        (tmp_path / "images" / f"{stem}.jpg").unlink()
        deep = np.linspace(0, top, width * height).reshape(height, width).astype(np.uint16)
        Image.fromarray(deep).save(tmp_path / "images" / f"{stem}.png")
    (note,) = open_source(source).notes(["eye 0", "eye 1"])
    assert note.startswith("The values in the 16 bits of eye 0 are taken as of 12 bits, since hardly any is greater")
    (tmp_path / "images" / "eye 0.png").write_bytes(b"no image")
    assert open_source(source).notes(["eye 0", "eye 1"]) == []


def test_the_table_of_labels_of_drawings_changes_nothing_of_the_masks(tmp_path: Path) -> None:
    plain = open_source(write_folder(tmp_path))
    text = (tmp_path / "coarsekit.toml").read_text()
    (tmp_path / "coarsekit.toml").write_text(f'label_attribute = "grade"\n{text}\n[labels]\n"bright spots" = "EX"\n')
    described = open_source(f"folder:{tmp_path}")
    assert [described.files(key) for key in ("eye 0", "eye 1")] == [plain.files(key) for key in ("eye 0", "eye 1")]
    assert described.lesions == plain.lesions


def test_options_of_the_source_say_the_same_as_the_file(tmp_path: Path) -> None:
    described = open_source(write_folder(tmp_path))
    (tmp_path / "coarsekit.toml").unlink()
    plain = open_source(f"folder:{tmp_path}?masks=masks/{{lesion}}/{{stem}}.png&lesions=MA,drusen")
    assert plain.splits() == described.splits()
    assert [plain.files(key) for key in ("eye 0", "eye 1")] == [described.files(key) for key in ("eye 0", "eye 1")]


def test_a_label_map_with_a_table_of_values(tmp_path: Path) -> None:
    """Both splits hold a photograph of the same name, so the split stands before the key."""
    dataset = open_source(write_label_maps(tmp_path))
    assert dataset.splits() == {"train": ("train-eye",), "test": ("test-eye",)}
    fine = dataset.read("train-eye").fine
    assert np.array_equal(fine["MA"], lesions(0))
    assert np.array_equal(fine["HE"], lesions(1))


def test_coco_instances_by_polygon_and_run_length(tmp_path: Path) -> None:
    fine = open_source(write_coco(tmp_path)).read("eye").fine
    assert {lesion: int(mask.sum()) for lesion, mask in fine.items()} == {"MA": 55, "HE": 100}
    assert fine["HE"][60:70, 80:90].all()


def test_coco_without_a_table_takes_the_categories_names(tmp_path: Path) -> None:
    source = write_coco(tmp_path)
    (tmp_path / "coarsekit.toml").write_text('[coco]\nfile = "instances.json"\n')
    assert open_source(source).lesions == ("bleeding", "microaneurysm")


def test_list_files_split_a_folder(tmp_path: Path) -> None:
    source = write_folder(tmp_path)
    (tmp_path / "train.txt").write_text("# by patient\neye 0\n\n")
    (tmp_path / "test.txt").write_text("eye 1.jpg  # the other\n")
    toml = tmp_path / "coarsekit.toml"
    toml.write_text(toml.read_text() + '[splits]\ntrain = "train.txt"\ntest = "test.txt"\n')
    assert open_source(source).splits() == {"train": ("eye 0",), "test": ("eye 1",)}


def test_a_listed_name_is_that_of_one_photograph_without_its_suffix(tmp_path: Path) -> None:
    source = write_folder(tmp_path)
    image = next((tmp_path / "images").glob("eye 0.*"))
    (tmp_path / "images" / "eye 0.json").write_text("{}")
    shutil.copyfile(image, image.with_name(f"eye 0.left{image.suffix}"))
    (tmp_path / "train.txt").write_text("eye 0\n")
    toml = tmp_path / "coarsekit.toml"
    toml.write_text(toml.read_text() + '[splits]\ntrain = "train.txt"\n')
    assert open_source(source).splits() == {"train": ("eye 0",)}
    shutil.copyfile(image, image.with_suffix(".png" if image.suffix != ".png" else ".jpg"))
    with pytest.raises(SourceError, match=r"line 1 \('eye 0'\) fits eye 0\.jpg and eye 0\.png; write the one"):
        open_source(source)


def test_masks_of_photographs_that_no_list_names_are_no_orphans(tmp_path: Path) -> None:
    source = write_folder(tmp_path)
    (tmp_path / "train.txt").write_text("eye 0\n")
    toml = tmp_path / "coarsekit.toml"
    toml.write_text(toml.read_text() + '[splits]\ntrain = "train.txt"\n')
    save(grey(lesions(0)), tmp_path / "masks" / "MA" / "nobody.png")
    assert open_source(source).orphans() == [str(tmp_path / "masks" / "MA" / "nobody.png")]


def test_masks_may_lie_beside_their_photographs(tmp_path: Path) -> None:
    for seed in range(2):
        save(photograph(seed), tmp_path / f"eye{seed}.png")
        save(grey(lesions(seed)), tmp_path / f"eye{seed}_MA.png")
    dataset = open_source(f"folder:{tmp_path}?images=.&masks={{stem}}_{{lesion}}.png&lesions=MA")
    assert dataset.keys() == ("eye0", "eye1")
    assert np.array_equal(dataset.read("eye1").fine["MA"], lesions(1))
    assert dataset.orphans() == []


def test_soft_edged_masks_count_above_the_threshold(tmp_path: Path) -> None:
    source = write_folder(tmp_path)
    soft = lesions(0) * 200 + lesions(1) * 100
    save(Image.fromarray(soft.astype(np.uint8)), tmp_path / "masks" / "MA" / "eye 0.png")
    toml = tmp_path / "coarsekit.toml"
    toml.write_text("threshold = 127\n" + toml.read_text())
    assert np.array_equal(open_source(source).read("eye 0").fine["MA"], lesions(0))


def test_an_unknown_licence_may_not_be_passed_on_and_a_stated_one_is_believed(tmp_path: Path) -> None:
    source = write_folder(tmp_path)
    assert open_source(source).licence.redistribution is False
    toml = tmp_path / "coarsekit.toml"
    toml.write_text('title = "Ours"\nlicence = {name = "CC0-1.0", redistribution = true}\n' + toml.read_text())
    dataset = open_source(source)
    assert (dataset.title, dataset.licence.name, dataset.licence.redistribution) == ("Ours", "CC0-1.0", True)


def test_the_example_in_the_docs_is_read(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "tasks" / "own-dataset.md").read_text(encoding="utf-8")
    example = re.findall(r"```toml\n(.*?)```", page, re.S)[0]
    (tmp_path / "coarsekit.toml").write_text(example, encoding="utf-8")
    save(photograph(0), tmp_path / "photos" / "eye.jpg")
    save(grey(lesions(0)), tmp_path / "masks" / "eye_EX.png")
    dataset = open_source(f"folder:{tmp_path}")
    assert dataset.read("eye").fine.keys() == {"EX"}
    assert dataset.licence.redistribution


@pytest.mark.parametrize("mode", ["RGB", "L", "I;16", "RGBA", "LA", "P", "CMYK", "EXIF"])
def test_photographs_of_every_kind_arrive_as_upright_rgb(tmp_path: Path, mode: str) -> None:
    """A grey ramp, dark at the top, looks the same however it was stored."""
    ramp = np.repeat(np.linspace(0, 255, 60).astype(np.uint8)[:, None], 40, axis=1)
    picture, options, suffix = Image.fromarray(ramp), {}, ".png"
    if mode == "I;16":
        picture = Image.fromarray(ramp.astype(np.uint16) * 257)
    elif mode == "EXIF":
        picture, suffix = picture.convert("RGB").transpose(Image.Transpose.ROTATE_90), ".jpg"
        options["exif"] = Image.Exif()
        options["exif"][0x0112] = 6  # stored a quarter turn to the left
    elif mode in ("RGBA", "LA"):
        picture = picture.convert(mode)
        picture.putalpha(128)
    elif mode != "L":
        picture, suffix = picture.convert(mode), ".tif" if mode == "CMYK" else ".png"
    path = tmp_path / f"image{suffix}"
    picture.save(path, **options)
    image = read_image(path)
    assert (image.shape, image.dtype) == ((60, 40, 3), np.uint8)
    assert np.abs(image.astype(int) - ramp[..., None]).max() <= 3


# ---------------------------------------------------------------------------------------------- hostile folders


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", r"one of \[masks\], \[label_map\] and \[coco\] is expected, got none"),
        ("masks = 3", "masks: "),
        ("[masks]", "masks: "),
        ("x = [", "cannot be read as TOML"),
        ("\ufeff\u0000", "cannot be read as TOML"),
        ('[masks]\nMA = "../{stem}.png"', r"masks.MA: expected a path inside the folder"),
        ('[masks]\nMA = "/etc/{stem}.png"', r"a path inside the folder"),
        ('[masks]\nMA = "{stem.__class__}.png"', r"\{stem.__class__\} stands for nothing"),
        ('[masks]\nMA = "{name}.png"', r"{name} stands for nothing"),
        ('[masks]\n"a/b" = "{stem}.png"', "usable in a file name"),
        ('images = "../elsewhere"\n[masks]\nMA = "{stem}.png"', "images: expected a path inside the folder"),
        ('imagse = "x"\n[masks]\nMA = "{stem}.png"', "imagse is not a field"),
        ('[label_map]\nfile = "{stem}.png"\nvalues = {one = "MA"}', "label_map.values"),
        ('[label_map]\nfile = "{stem}.png"\nvalues = {}', "label_map.values"),
        ('threshold = -1\n[masks]\nMA = "{stem}.png"', "threshold"),
        ('[masks]\nMA = "a.png"\n[splits]\ntrain = "../../list.txt"', "splits.train: expected a path inside"),
        ('[masks]\nMA = "a.png"\n[splits]\ntrain = "none.txt"', "none.txt: cannot be read"),
        ('images = "none"\n[masks]\nMA = "a.png"', "no photographs in its folder 'none'"),
        ('[coco]\nfile = "none.json"', "no such file"),
        ('[masks]\nMA = "a.png"\n[labels]\nspots = "a/b"', "labels: expected one lesion class for each label"),
        ('[masks]\nMA = "a.png"\n[lables]\nspots = "EX"', "lables is not a field"),
        ("a = " + "[" * 5000, "cannot be read as TOML"),
    ],
)
def test_a_toml_that_does_not_fit_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    source = write_folder(tmp_path)
    (tmp_path / "coarsekit.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=sentence) as caught:
        open_source(source)
    assert "\n" not in str(caught.value).replace(text, "")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("mask=x", "'mask=x' is not an option of a folder"),
        ("masks=x.png&lesions=MA", r"need masks= with \{stem\} and \{lesion\}"),
        ("masks=../{lesion}.png&lesions=MA", "a path inside the folder"),
        ("masks={lesion}%2F..%2F..%2Fx.png&lesions=MA", "a path inside the folder"),
        ("masks={lesion}.png&lesions=..", "usable in a file name"),
        ("masks={lesion}.png&lesions=MA&threshold=high", "threshold must be a number"),
        ("", "is not an option of a folder"),
    ],
)
def test_options_that_do_not_fit_are_one_sentence(tmp_path: Path, options: str, sentence: str) -> None:
    write_folder(tmp_path)
    with pytest.raises(SourceError, match=sentence):
        open_source(f"folder:{tmp_path}?{options}")


def test_a_line_of_a_list_file_is_no_pattern(tmp_path: Path) -> None:
    source = write_folder(tmp_path)
    for name in ("eye [0].jpg", "eye [a].jpg"):
        save(photograph(3), tmp_path / "images" / name)
    (tmp_path / "train.txt").write_text("eye [0]\na**b\ney?\n")
    toml = tmp_path / "coarsekit.toml"
    toml.write_text(toml.read_text() + '[splits]\ntrain = "train.txt"\n')
    assert open_source(source).keys() == ("eye [0]", "a**b", "ey?")
    assert open_source(source).read("eye [0]").name == "eye [0].jpg"


@pytest.mark.parametrize("line", ["../../secret.jpg", "/etc/passwd", "a/../../b.jpg"])
def test_a_list_file_does_not_lead_out_of_its_folder(tmp_path: Path, line: str) -> None:
    source = write_folder(tmp_path)
    (tmp_path / "train.txt").write_text(f"eye 0\n{line}\n")
    toml = tmp_path / "coarsekit.toml"
    toml.write_text(toml.read_text() + '[splits]\ntrain = "train.txt"\n')
    with pytest.raises(SourceError, match=r"train\.txt: line 2 leads outside the folder"):
        open_source(source)


def test_a_photograph_that_a_list_names_and_nobody_has_is_named(tmp_path: Path) -> None:
    source = write_folder(tmp_path)
    (tmp_path / "train.txt").write_text("eye 0\neye [9]*\n")
    toml = tmp_path / "coarsekit.toml"
    toml.write_text(toml.read_text() + '[splits]\ntrain = "train.txt"\n')
    dataset = open_source(source)
    assert dataset.keys() == ("eye 0", "eye [9]*")
    with pytest.raises(ImageError, match="no such file"):
        dataset.read("eye [9]*")


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("images", [{"id": 7, "file_name": "eye.jpg", "width": 10**6, "height": 10**6}], "no camera takes"),
        ("images", [{"id": 7, "file_name": "eye.jpg", "width": -1, "height": 5}], r"images\.0\.width"),
        ("images", [], "image_id 7 is not the id of an image"),
        ("images", 3, "images: expected a valid list, got 3"),
        ("annotations", [{"image_id": 7, "category_id": 1, "segmentation": "x"}], r"annotations\.0\.segmentation"),
        (
            "annotations",
            [{"image_id": 7, "category_id": 2, "segmentation": {"size": [9, 9], "counts": [81]}}],
            r"segmentation.size must be",
        ),
    ],
)
def test_coco_that_does_not_fit_is_one_sentence(tmp_path: Path, field: str, value: object, sentence: str) -> None:
    source = write_coco(tmp_path, **{field: value})
    with pytest.raises(SourceError, match=sentence):
        open_source(source).read("eye")


@pytest.mark.parametrize("name", ["../../eye.jpg", "/data/eye.jpg", "C:\\eye.jpg", "EYE.JPG", "eye.png", "x/Eye.jpeg"])
def test_an_image_of_coco_is_the_photograph_that_alone_may_be_meant(tmp_path: Path, name: str) -> None:
    source = write_coco(tmp_path, images=[{**coco()["images"][0], "file_name": name}])
    dataset = open_source(source)
    assert list(dataset.read("eye").fine) == ["MA", "HE"]
    assert dataset.orphans() == dataset.notes(["eye"]) == []


def test_two_images_of_coco_that_may_both_be_one_photograph_are_nobodys(tmp_path: Path) -> None:
    dataset = open_source(write_coco(tmp_path, **twice("EYE.JPG", "eye.png")))
    with pytest.raises(SourceError, match=r"eye\.jpg: 'EYE.JPG' and 'eye.png' of .* may both be this photograph"):
        dataset.read("eye")
    assert dataset.notes(["eye"]) == []


@pytest.mark.parametrize(
    ("region", "left_out", "said"),
    [
        ({"image_id": 8, "category_id": 9}, "other.jpg: {}: annotations.2: category_id 9 is not the id of a cat", ""),
        ({"image_id": 8, "category_id": 1, "segmentation": "x"}, "other.jpg: {}: annotations.2.segmentation", ""),
        ({"image_id": 77, "category_id": 1}, "", "{}: annotations.2: image_id 77 is not the id of an image"),
    ],
)
def test_a_region_of_coco_that_cannot_be_used_costs_its_own_photograph_alone(
    tmp_path: Path, region: dict, left_out: str, said: str
) -> None:
    save(photograph(1), tmp_path / "images" / "other.jpg")
    content = coco()
    content["images"].append({**content["images"][0], "id": 8, "file_name": "other.jpg"})
    content["annotations"].append(region)
    source = write_coco(tmp_path, **content)
    (tmp_path / "coarsekit.toml").write_text('[coco]\nfile = "instances.json"\n')
    dataset = open_source(source)
    assert set(dataset.read("eye").fine) == {"bleeding", "microaneurysm"}
    failures: dict[str, str] = {}
    assert len(list(readable(dataset, dataset.keys(), failures.__setitem__))) == 2 - bool(left_out)
    assert "".join(failures.values()).startswith(str(tmp_path / "images") if left_out else "")
    assert left_out.format(tmp_path / "instances.json") in "".join(failures.values())
    notes = dataset.notes(dataset.keys())
    assert len(notes) == bool(said)
    assert said.format(tmp_path / "instances.json") in "".join(notes)
    kinds = [(finding.kind, finding.image) for finding in check(dataset).errors if finding.kind != "near_duplicate"]
    assert kinds == ([("unclear", "other")] if left_out else [("orphan_mask", "")])


def test_sizes_that_a_coco_file_lacks_are_those_of_the_photographs(tmp_path: Path) -> None:
    dataset = open_source(write_coco(tmp_path, images=[{"id": 7, "file_name": "eye.jpg"}]))
    assert list(dataset.read("eye").fine) == ["MA", "HE"]


@pytest.mark.parametrize(
    "segmentation",
    [
        [[1, 2, 3]],
        [[1.0, 2.0, float("nan"), 4, 5, 6]],
        [[0, 0, 1e300, 1, -1e300, 9]],
        {"size": [120, 160], "counts": [5, -5]},
    ]
    + [{"size": [120, 160], "counts": counts} for counts in ([1], "\x01", "")],
)
def test_a_coco_region_that_cannot_be_drawn_is_one_sentence(tmp_path: Path, segmentation: object) -> None:
    annotation = {"image_id": 7, "category_id": 1, "segmentation": segmentation}
    source = write_coco(tmp_path, annotations=[annotation])
    with pytest.raises(CoarsekitError):
        open_source(source).read("eye")


@pytest.mark.parametrize(
    "segmentation",
    [[], [[1, 2, 3, 4]], *({"size": [120, 160], "counts": counts} for counts in ([120 * 160], "Phb0"))],
)
def test_a_coco_region_that_covers_nothing_is_passed_over(tmp_path: Path, segmentation: object) -> None:
    empty = {"image_id": 7, "category_id": 1, "segmentation": segmentation}
    unlisted = {"image_id": 7, "category_id": 99, "segmentation": [[50, 50, 60, 50, 60, 60]]}
    source = write_coco(tmp_path, annotations=[empty, unlisted, *coco()["annotations"]])
    assert np.array_equal(open_source(source).read("eye").fine["MA"], triangle())


def test_a_ring_of_two_corners_beside_a_good_one_is_passed_over(tmp_path: Path) -> None:
    rings = [[1, 2, 3, 4], [50, 50, 60, 50, 60, 60]]
    source = write_coco(tmp_path, annotations=[{"image_id": 7, "category_id": 1, "segmentation": rings}])
    assert np.array_equal(open_source(source).read("eye").fine["MA"], triangle())


def triangle() -> np.ndarray:
    return draw([Polygon((((50, 50), (60, 50), (60, 60)),))], (120, 160))


def test_coco_in_shares_of_the_sides_is_refused(tmp_path: Path) -> None:
    ring = {"image_id": 7, "category_id": 1, "segmentation": [[0.1, 0.1, 0.4, 0.1, 0.4, 0.3]]}
    with pytest.raises(
        SourceError, match=r"instances\.json: all coordinates lie between 0 and 1, as shares .* expected px"
    ):
        open_source(write_coco(tmp_path, annotations=[ring]))
    (tmp_path / "px").mkdir()
    beyond = {**ring, "segmentation": [[3, 3, 9, 3, 9, 9]]}
    assert open_source(write_coco(tmp_path / "px", annotations=[ring, beyond])).read("eye").fine["MA"].any()


def test_a_coco_file_that_is_cut_short_is_one_sentence(tmp_path: Path) -> None:
    source = write_coco(tmp_path)
    (tmp_path / "instances.json").write_text(json.dumps(coco())[:100])
    with pytest.raises(SourceError, match="not JSON"):
        open_source(source)


@pytest.mark.parametrize("size", [(10000, 5000), (12000, 12000), (60000, 60000)])
def test_a_header_that_claims_many_pixels_is_one_sentence(tmp_path: Path, size: tuple[int, int]) -> None:
    header = struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", len(header)) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    path = tmp_path / "bomb.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + b"\0\0\0\x08IDATx\x9c")
    with pytest.raises(ImageError, match=r"bomb\.png"):
        read_image(path)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".bmp", ".gif", ".webp"])
def test_a_file_cut_anywhere_is_read_or_one_sentence(tmp_path: Path, suffix: str) -> None:
    whole = save(photograph(0), tmp_path / f"whole{suffix}").read_bytes()
    cut = tmp_path / f"cut{suffix}"
    for part in (0, 1, 3, 8, 20, 60, 150, 400, len(whole) // 2):
        cut.write_bytes(whole[:part])
        with pytest.raises(ImageError, match="cut"):
            read_image(cut)


# ---------------------------------------------------------------------------------------------- regions


@given(st.lists(st.tuples(st.floats(-10, 40), st.floats(-10, 40)), min_size=3, max_size=9))
def test_a_polygon_is_filled_as_scikit_image_fills_it(corners: list[tuple[float, float]]) -> None:
    """Pixels whose centres lie within a thousandth of an edge may go either way."""
    own = draw([Polygon((tuple(corners),))], (30, 25))
    other = polygon2mask((30, 25), np.array([(y - 0.5, x - 0.5) for x, y in corners]))
    differing = [(column + 0.5, row + 0.5) for row, column in zip(*np.nonzero(own != other), strict=True)]
    for x, y in differing:
        assert (
            min(_distance(x, y, one, two) for one, two in zip(corners, corners[1:] + corners[:1], strict=True)) < 1e-3
        )


def _distance(x: float, y: float, one: tuple[float, float], two: tuple[float, float]) -> float:
    along = np.subtract(two, one)
    share = np.clip(np.dot(np.subtract((x, y), one), along) / max(np.dot(along, along), 1e-300), 0, 1)
    return float(np.hypot(*(np.subtract((x, y), one) - share * along)))


@given(st.lists(st.booleans(), min_size=12, max_size=12))
def test_runs_draw_the_mask_that_they_were_counted_from(pixels: list[bool]) -> None:
    mask = np.array(pixels).reshape(3, 4)
    flat = mask.T.ravel()
    edges = [0, *(np.flatnonzero(np.diff(flat)) + 1).tolist(), 12]
    counts = ([0] if flat[0] else []) + np.diff(edges).tolist()
    assert np.array_equal(from_run_lengths(counts, 12).reshape(4, 3).T, mask)


def test_compressed_runs_are_the_same_as_plain_ones() -> None:
    """The string was worked out by hand: 5, 2, 2, then 3 - 2 + 2 and 88 - 2 ... as differences to the last but one."""
    plain = [5, 2, 2, 4, 87]
    text = "5222" + chr((85 & 31 | 32) + 48) + chr((85 >> 5) + 48)
    assert decompress(text) == plain
    with pytest.raises(AnnotationError, match="add up to"):
        from_run_lengths(decompress("5"), 100)


# ---------------------------------------------------------------------------------------------- which is whose


def described(root: Path, text: str) -> str:
    (root / "coarsekit.toml").write_text(text, encoding="utf-8")
    return f"folder:{root}"


MASKS = '[masks]\nMA = "masks/{stem}.png"\n'
LISTS = '[splits]\ntrain = "train.txt"\ntest = "test.txt"\n'


@pytest.fixture
def namesakes(tmp_path: Path) -> Path:
    """Two photographs of one name in two splits, and one mask of that name."""
    for seed, split in enumerate(("train", "test")):
        save(photograph(seed), tmp_path / "images" / split / "a.png")
        (tmp_path / f"{split}.txt").write_text(f"{split}/a.png\n")
    save(grey(lesions(0)), tmp_path / "masks" / "a.png")
    return tmp_path


@pytest.mark.parametrize(
    "text",
    [MASKS, MASKS + LISTS, '[label_map]\nfile = "masks/{stem}.png"\nvalues = {255 = "MA"}\n'],
    ids=["folders", "lists", "label map"],
)
def test_a_mask_of_two_photographs_is_refused(namesakes: Path, text: str) -> None:
    with pytest.raises(SourceError) as caught:
        open_source(described(namesakes, text))
    images = namesakes / "images"
    said = f"two photographs have this mask, {images / 'train' / 'a.png'} and {images / 'test' / 'a.png'}; "
    assert said + "write {split} in the pattern 'masks/{stem}.png'" in str(caught.value)
    (namesakes / "masks" / "train").mkdir()
    (namesakes / "masks" / "a.png").rename(namesakes / "masks" / "train" / "a.png")
    split = open_source(described(namesakes, text.replace("masks/", "masks/{split}/")))
    assert list(split.read("train-a").fine) == ["MA"]
    assert list(split.read("test-a").fine) == []


def test_masks_that_patterns_do_not_tell_apart_are_refused(tmp_path: Path) -> None:
    for seed, name in enumerate(("a", "a_2")):
        save(photograph(seed), tmp_path / "images" / f"{name}.png")
        save(grey(lesions(seed)), tmp_path / "masks" / f"{name}.png")
    for text, advice in (
        ('[masks]\nMA = "masks/a.png"\n', r"write \{stem\} in the pattern"),
        (MASKS + 'HE = "masks/{stem}_2.png"\n', "change the pattern"),
    ):
        with pytest.raises(SourceError, match=advice):
            open_source(described(tmp_path, text))


def test_photographs_of_one_name_without_any_mask_and_one_photograph_in_two_lists_are_no_harm(namesakes: Path) -> None:
    (namesakes / "test.txt").write_text("train/a.png\n")
    twice = open_source(described(namesakes, MASKS + LISTS))
    assert [list(twice.read(key).fine) for key in ("train-a", "test-a")] == [["MA"], ["MA"]]
    (namesakes / "masks" / "a.png").unlink()
    assert open_source(described(namesakes, MASKS)).keys() == ("train-a", "test-a")


def test_an_image_of_coco_that_may_be_two_photographs_is_refused(namesakes: Path) -> None:
    text = '[coco]\nfile = "instances.json"\nclasses = {microaneurysm = "MA", bleeding = "HE"}\n'
    (namesakes / "instances.json").write_text(json.dumps(coco("a.png")))
    for key in ("train-a", "test-a"):
        said = r"'a\.png' may be .*train/a\.png or .*test/a\.png; write the folder before"
        with pytest.raises(SourceError, match=said):
            open_source(described(namesakes, text)).read(key)
    (namesakes / "instances.json").write_text(json.dumps(coco("train/a.png")))
    dataset = open_source(described(namesakes, text))
    assert [list(dataset.read(key).fine) for key in ("train-a", "test-a")] == [["MA", "HE"], []]


def test_a_name_in_coco_is_the_photograph_that_lies_there_before_one_in_a_folder(tmp_path: Path) -> None:
    for seed, name in enumerate(("eye.jpg", "left/eye.jpg")):
        save(photograph(seed), tmp_path / "images" / name)
    for split, name in (("train", "eye.jpg"), ("test", "left/eye.jpg")):
        (tmp_path / f"{split}.txt").write_text(name)
    (tmp_path / "instances.json").write_text(json.dumps(coco()))
    dataset = open_source(described(tmp_path, '[coco]\nfile = "instances.json"\n' + LISTS))
    assert [bool(dataset.read(key).fine) for key in ("train-eye", "test-eye")] == [True, False]


def twice(*names: str) -> dict:
    """COCO instances of one photograph in two images, as after the files of two people were put together."""
    content = coco(names[0])
    content["images"].append({**content["images"][0], "id": 8, "file_name": names[1]})
    content["annotations"][1]["image_id"] = 8
    return content


@pytest.mark.parametrize("second", ["eye.jpg", "./eye.jpg", "x/eye.jpg"])
def test_a_photograph_that_coco_has_twice_has_the_regions_of_both(tmp_path: Path, second: str) -> None:
    content = twice("eye.jpg", second)
    source = write_coco(tmp_path, **content)
    if "x/" in second:
        (tmp_path / "images" / "x").mkdir()
        (tmp_path / "images" / "eye.jpg").rename(tmp_path / "images" / second)
        (tmp_path / "train.txt").write_text(second)
        toml = tmp_path / "coarsekit.toml"
        toml.write_text(toml.read_text() + '[splits]\ntrain = "train.txt"\n')
    dataset = open_source(source)
    assert {lesion: int(mask.sum()) for lesion, mask in dataset.read("eye").fine.items()} == {"MA": 55, "HE": 100}
    assert dataset.orphans() == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"category_id": 1}, "images.0 and images.1 are one photograph, 'eye.jpg', and both have regions of MA"),
        ({}, "of two sizes"),
    ],
)
def test_two_images_of_coco_that_contradict_one_another_are_refused(tmp_path: Path, change: dict, said: str) -> None:
    content = twice("eye.jpg", "eye.jpg")
    content["annotations"][1] |= change
    if not change:
        content["images"][1]["width"] = 80
        content["annotations"][1]["segmentation"] = [[5, 5, 9, 5, 9, 9]]
    with pytest.raises(SourceError, match=said):
        open_source(write_coco(tmp_path, **content)).read("eye")


@pytest.mark.parametrize(
    "fields",
    [
        {"bbox": [50, 50, 10, 10]},
        {"bbox": [50, 50, 10, 10], "segmentation": []},
        {"bbox": [50, 50, 1, 1], "segmentation": [[]]},
        {"bbox": [50, 50, 40, 40], "segmentation": [50, 50, 90, 90]},
        {"keypoints": [50, 50, 2], "segmentation": []},
    ],
)
def test_a_coco_region_that_was_drawn_without_a_segmentation_is_an_error(tmp_path: Path, fields: dict) -> None:
    drawn = {"image_id": 7, "category_id": 1, **fields}
    dataset = open_source(write_coco(tmp_path, annotations=[drawn, coco()["annotations"][1]]))
    with pytest.raises(AnnotationError, match=r"annotations\.0"):
        dataset.read("eye")


def test_specks_that_tools_trace_around_a_pixel_or_two_are_passed_over(tmp_path: Path) -> None:
    speck = {"image_id": 7, "category_id": 1, "segmentation": [[5, 5, 6, 6]], "bbox": [5, 5, 1, 1]}
    dataset = open_source(write_coco(tmp_path, annotations=[speck, *coco()["annotations"]]))
    assert np.array_equal(dataset.read("eye").fine["MA"], triangle())


def test_a_number_sign_in_a_name_starts_no_comment(tmp_path: Path) -> None:
    for seed, name in enumerate(("a", "a#1", "b #2")):
        save(photograph(seed), tmp_path / "images" / f"{name}.png")
    (tmp_path / "train.txt").write_text("a#1.png\nb #2.png # of " + "the left eye " * 30 + "\n#a.png\na # see ../x\n")
    dataset = open_source(described(tmp_path, MASKS + '[splits]\ntrain = "train.txt"\n'))
    assert dataset.keys() == ("a#1", "b #2", "a")


def test_masks_are_found_in_any_case_of_their_suffix(tmp_path: Path) -> None:
    source = write_folder(tmp_path)
    (tmp_path / "masks" / "MA" / "eye 0.png").rename(tmp_path / "masks" / "MA" / "eye 0.PNG")
    dataset = open_source(source)
    assert np.array_equal(dataset.read("eye 0").fine["MA"], lesions(0))
    assert dataset.orphans() == []
    for seed in range(2):
        save(photograph(seed), tmp_path / "flat" / f"{seed}.png")
        save(grey(lesions(seed)), tmp_path / "flat" / f"{seed}_MA.PNG")
    beside = open_source(f"folder:{tmp_path}?images=flat&masks=flat/{{stem}}_{{lesion}}.png&lesions=MA")
    assert beside.keys() == ("0", "1")


PLAIN = "?images=photos&masks=masks/{stem}_{lesion}.png&lesions=MA,HE"


def opened(root: Path, photographs: list[str], masks: list[str], options: str = PLAIN) -> Dataset:
    """A folder of photographs and masks of these names."""
    for seed, name in enumerate(photographs):
        save(photograph(seed), root / "photos" / name)
    for name in masks:
        save(grey(lesions(0)), root / "masks" / name)
    return open_source(f"folder:{root}{options}")


@pytest.mark.parametrize(
    ("name", "mask"),
    [
        ("M\u00fcller", "Mu\u0308ller_MA.png"),
        ("Mu\u0308ller", "M\u00fcller_ma.PNG"),
        ("IMG_A", "img_a_ma.png"),
        ("b", "b_MA.tif"),
        ("b", "B_MA.TIFF"),
    ],
)
def test_a_mask_is_found_in_any_case_and_under_the_suffix_of_any_image(tmp_path: Path, name: str, mask: str) -> None:
    dataset = opened(tmp_path, [f"{name}.jpg", "other.jpg"], [mask, "other_MA.png"])
    assert [list(dataset.read(key).fine) for key in dataset.keys()] == [["MA"], ["MA"]]  # noqa: SIM118
    assert dataset.notes(dataset.keys()) == dataset.orphans() == []


def test_folders_of_masks_may_be_called_as_their_photographs_nearly_are(tmp_path: Path) -> None:
    options = "?images=photos&masks=masks/{stem}/{lesion}.png&lesions=MA"
    dataset = opened(tmp_path, ["IMG_A.jpg", "b.jpg"], ["img_a/ma.png", "b/MA.png"], options)
    assert [list(fundus.fine) for fundus in dataset.photographs()] == [["MA"], ["MA"]]


def test_masks_beside_their_photographs_under_other_suffixes_are_no_photographs(tmp_path: Path) -> None:
    options = "?images=photos&masks=photos/{stem}_{lesion}.png&lesions=MA"
    dataset = opened(tmp_path, ["a.jpg", "B.jpg"], ["../photos/a_MA.tif", "../photos/b_ma.png"], options)
    assert dataset.keys() == ("B", "a")
    assert [list(fundus.fine) for fundus in dataset.photographs()] == [["MA"], ["MA"]]
    for name in ("a.jpg", "A.jpg"):
        save(photograph(0), tmp_path / "same" / "images" / name)
    assert open_source(described(tmp_path / "same", MASKS.replace("masks/", "images/"))).keys() == ("A", "a")


def test_a_mask_that_is_another_photographs_or_may_be_is_nobodys(tmp_path: Path) -> None:
    dataset = opened(tmp_path / "own", ["A.jpg", "a.jpg"], ["A_MA.png"])
    assert [list(fundus.fine) for fundus in dataset.photographs()] == [["MA"], []]
    dataset = opened(tmp_path / "both", ["IMG.jpg", "img.jpg", "c.jpg"], ["Img_MA.png", "c_MA.png"])
    for key in ("IMG", "img"):
        with pytest.raises(SourceError, match=r"its mask of MA may be .*Img_MA\.png, which may be that of another"):
            dataset.read(key)
    dataset = opened(tmp_path / "two", ["a.jpg"], ["a_MA.tif", "a_MA.bmp"])
    with pytest.raises(SourceError, match=r"its mask of MA may be .*a_MA\.bmp or .*a_MA\.tif; name it as the pattern"):
        dataset.read("a")


def test_two_classes_that_suffixes_tell_apart_are_not_taken_for_one_another(tmp_path: Path) -> None:
    opened(tmp_path, ["a.jpg", "b.jpg"], ["a.png", "a.tif", "b.tif"])
    dataset = open_source(
        described(tmp_path, 'images = "photos"\n[masks]\nMA = "masks/{stem}.png"\nHE = "masks/{stem}.tif"\n')
    )
    assert [list(fundus.fine) for fundus in dataset.photographs()] == [["MA", "HE"], ["HE"]]


@pytest.mark.parametrize("mask", ["b-MA.png", "mask_B_ma.png", "b_MA_final.tif"])
def test_a_photograph_does_not_count_as_healthy_where_a_mask_of_nobody_is_called_much_like_it(
    tmp_path: Path, mask: str
) -> None:
    dataset = opened(tmp_path, ["a.jpg", "b.jpg"], ["a_MA.png", "a_HE.png", mask])
    with pytest.raises(
        SourceError, match=rf"b\.jpg: its mask of MA may be .*{mask}, which is not called as the pattern"
    ):
        dataset.read("b")
    assert dataset.notes(dataset.keys()) == []
    errors = {(finding.kind, finding.image) for finding in check(dataset).errors}
    assert errors >= {("unclear", "b"), ("orphan_mask", "")}


@pytest.mark.parametrize("mask", ["b_SE.png", "b_2_MA.png", "b_OS_MA.png", "bb_MA.png", "017_MA.png"])
def test_masks_of_nobody_are_named_where_photographs_count_as_healthy(tmp_path: Path, mask: str) -> None:
    dataset = opened(tmp_path, ["a.jpg", "b.jpg"], ["a_MA.png", mask])
    assert dataset.read("b").fine == {}
    assert dataset.notes(dataset.keys()) == [
        "1 photograph has no mask of any class and counts as healthy: b",
        f"1 mask belongs to no photograph: {tmp_path / 'masks' / mask}",
    ]


def test_of_two_photographs_of_one_name_neither_is_used_and_all_others_are(tmp_path: Path) -> None:
    dataset = opened(tmp_path, ["a.jpg", "a.png", "b.jpg"], ["a_MA.png", "b_MA.png"])
    assert dataset.keys() == ("a.jpg", "a.png", "b")
    failures: dict[str, str] = {}
    assert [fundus.key for fundus in readable(dataset, dataset.keys(), failures.__setitem__)] == ["b"]
    photos = tmp_path / "photos"
    assert failures["a.png"] == f"{photos / 'a.png'}: a second photograph of that name ({photos / 'a.jpg'}); rename one"
    assert dataset.notes(dataset.keys()) == dataset.orphans() == []
    assert [finding.image for finding in check(dataset).errors if finding.kind == "unclear"] == ["a.jpg", "a.png"]


@pytest.mark.parametrize("read", ["images/a.png", "images/test/a.png"], ids=["above", "beside"])
def test_photographs_deeper_than_those_that_are_read_are_named(tmp_path: Path, read: str) -> None:
    hidden = "train/left" if "test" in read else "train"
    for seed, path in enumerate(
        (read, f"images/{hidden}/b.png", "images/@eaDir/c.png", f"images/{hidden}/masks/b.png")
    ):
        save(photograph(seed), tmp_path / path)
    dataset = open_source(described(tmp_path, f'[masks]\nMA = "images/{hidden}/masks/{{stem}}.png"\n'))
    save(grey(lesions(0)), tmp_path / "images" / hidden / "masks" / "a.png")
    assert dataset.keys() == ("a",)
    assert dataset.unread() == [str(tmp_path / "images" / hidden / "b.png")]
    assert "1 photograph lies deeper than those that are read: " in dataset.notes(["a"])[-1]
