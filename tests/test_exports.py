"""The names that the two packages promise."""

import subprocess
import sys

import coarsekit
import zoo


def test_coarsekit_exports_just_these_names() -> None:
    promised = "Annotation CoarsekitError Dataset Ellipse Fundus HUMAN Line Mark PAPER Point Polygon Raster Style"
    promised += " Calibration CheckReport ConvertReport ExportReport WriteReport"
    functions = "annotate calibrate check convert export_pairs open_source read_annotation read_image read_mask"
    assert coarsekit.__all__ == sorted([*promised.split(), *functions.split(), "write_annotations"])
    assert set(coarsekit.__all__) <= set(dir(coarsekit))
    assert all(hasattr(coarsekit, name) for name in coarsekit.__all__)
    assert not hasattr(coarsekit, "nothing_of_that_name")


def test_zoo_exports_just_these_names() -> None:
    functions = ["evaluate", "from_pretrained", "list_refiners", "refine_to_folder", "train"]
    assert zoo.__all__ == ["RefineReport", "Refiner", "ToolOptions", *functions]
    assert all(hasattr(zoo, name) for name in zoo.__all__)
    assert not hasattr(zoo, "nothing_of_that_name")


def test_importing_coarsekit_imports_nothing_heavy() -> None:
    code = "import sys, coarsekit; sys.exit(any(name in sys.modules for name in ('numpy', 'cv2', 'scipy', 'pydantic')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
