"""The wheel and the source distribution, as they would be published: built without a network, checked, and run."""

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

from tests.places import ROOT

CLEAN = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONWARNINGS")}
OF_THE_REPOSITORY = {
    ".pre-commit-config.yaml",
    "CHANGELOG.md",
    "CITATION.cff",
    "CONTRIBUTING.md",
    "LICENSE",
    "NOTICE",
    "README.md",
    "cards/lite.md",
    "docs/hooks.py",
    "docs/index.md",
    "mkdocs.yml",
    "pyproject.toml",
    "tests/test_distribution.py",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A folder, in whose path is a space, with the wheel and the source distribution from which it was built."""
    folder = tmp_path_factory.mktemp("built here")
    run("python", "-m", "build", "--no-isolation", "--outdir", folder, ROOT)
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    """The wheel."""
    [path] = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """The site-packages of an environment that has the wheel, and finds all else in the one that runs the tests."""
    folder = wheel.with_name("an environment")
    venv.create(folder, symlinks=True)
    said, _ = run(folder / "bin" / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
    site = Path(said.strip())
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    (site / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")  # whose own .pth files are not read
    return site


def run(program: str | Path, *arguments: object, cwd: Path = ROOT) -> tuple[str, str]:
    """What a program prints on stdout and stderr, which must leave with 0; one of this environment by its name."""
    words = [str(Path(sys.executable).with_name(program) if isinstance(program, str) else program)]
    words += [str(each) for each in arguments]
    result = subprocess.run(words, cwd=cwd, env=CLEAN, capture_output=True, text=True, timeout=240, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout, result.stderr


def test_an_index_would_take_them(built: Path) -> None:
    assert run("twine", "check", "--strict", *sorted(built.glob("coarsekit-*.*")))[0].count("PASSED") == 2


def test_the_wheel_has_every_file_of_both_packages_and_nothing_else(wheel: Path) -> None:
    run("check-wheel-contents", wheel)  # against the checkout, by its section in pyproject.toml
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"coarsekit", "zoo"}
    assert not [name for name in names if "test" in name]
    promised = {f"{package}/py.typed" for package in ("coarsekit", "zoo")} | {"coarsekit/annotations/labels.toml"}
    for folder in ("coarsekit/samples", "zoo/recipes", "zoo/weights", "zoo/review/assets"):
        files = {str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob("*") if path.is_file()}
        assert files
        promised |= files
    assert promised <= names


def test_the_source_distribution_has_the_documentation_and_the_tests(built: Path) -> None:
    [path] = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names >= OF_THE_REPOSITORY
    shown = (".md", ".py", ".ipynb")
    pages = {str(page.relative_to(ROOT)) for page in (ROOT / "docs").rglob("*") if page.suffix in shown}
    assert pages <= names


def test_the_metadata_says_licences_addresses_and_types(installed: Path) -> None:
    metadata = read_metadata(installed)
    assert metadata["License-Expression"] == "Apache-2.0 AND CC-BY-4.0"
    assert metadata.get_all("License-File") == ["LICENSE", "NOTICE"]
    [folder] = installed.glob("coarsekit-*.dist-info")
    for name in ("LICENSE", "NOTICE"):
        assert (folder / "licenses" / name).read_text() == (ROOT / name).read_text()
    assert {each.partition(", ")[0] for each in metadata.get_all("Project-URL", [])} == {"Dataset", "Paper"}
    classifiers = metadata.get_all("Classifier", [])
    assert "Typing :: Typed" in classifiers
    assert "Programming Language :: Python :: 3.11" in classifiers


def test_it_works_outside_the_repository(installed: Path, tmp_path: Path) -> None:
    """From a folder with a space in its name, as the environment's path has one."""
    here = tmp_path / "photographs here"
    here.mkdir()
    python = installed.parents[2] / "bin" / "python"
    where, _ = run(python, "-c", "import coarsekit, zoo; print(zoo.__file__)", cwd=here)
    assert Path(where.strip()) == installed / "zoo" / "__init__.py"
    options = ["--refiner", "shrink", "-o", "masks of mine", "--quiet"]
    _, said = run(python, "-W", "error", "-m", "zoo", "refine", "sample", *options, cwd=here)
    assert said == ""
    assert (here / "masks of mine" / "IDRiD_46_MA.png").is_file()


def test_the_scripts_of_the_documentation_are_typed_strictly(installed: Path, tmp_path: Path) -> None:
    """As somebody who installed the wheel checks them: without the settings of this repository."""
    python = installed.parents[2] / "bin" / "python"
    settings = tmp_path / "mypy.ini"
    settings.write_text("[mypy]\n[mypy-torch.*]\nfollow_imports = skip\n")  # most of the time, and no script names it
    options = ["--strict", f"--config-file={settings}", f"--cache-dir={tmp_path}", f"--python-executable={python}"]
    scripts = sorted((ROOT / "docs" / "scripts").glob("*.py"))
    said, _ = run("mypy", *options, *scripts, cwd=tmp_path)
    assert f"no issues found in {len(scripts)} source files" in said
    wrong = tmp_path / "wrong.py"
    wrong.write_text("import coarsekit\nimport zoo\n\nzoo.from_pretrained(1)\ncoarsekit.annotat()\n")
    with pytest.raises(AssertionError, match=r"(?s)arg-type.*attr-defined"):
        run("mypy", *options, wrong, cwd=tmp_path)


def read_metadata(installed: Path) -> Message:
    """The metadata of the one distribution in a folder."""
    [path] = installed.glob("coarsekit-*.dist-info/METADATA")
    return Parser().parsestr(path.read_text(encoding="utf-8"))
