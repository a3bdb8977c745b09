"""Any folder of photographs beside masks, described by a ``coarsekit.toml`` in it or by options in the SOURCE.

``folder:PATH``, or ``folder:PATH?images=photos&masks=masks/{stem}_{lesion}.png&lesions=MA,HE`` (in quotes, for the
shell). `folder_config` shows every field: one mask file per class, one label map, or COCO
instances; splits by folder or by list file. A folder that states no licence may not be passed on.

A photograph's key is its name without the suffix; where two splits hold the same name, the split stands before it.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from glob import escape
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from coarsekit.annotations.coco_photographs import Photograph, read_photographs
from coarsekit.annotations.coco_regions import Region
from coarsekit.annotations.documents import error_context, load
from coarsekit.annotations.folder_labels import FILE
from coarsekit.datasets.base import (
    UNKNOWN_LICENCE,
    Decoded,
    FileDataset,
    Licence,
    SampleFiles,
    list_images,
)
from coarsekit.datasets.folder_config import FolderConfig, config_of_options, name_of_folder, read_folder_config
from coarsekit.errors import AnnotationError, SourceError
from coarsekit.geometry import draw
from coarsekit.images import PHOTOGRAPHS, read_values
from coarsekit.types import LESIONS, Mask, lesion_name

_ORDER = ("train", "training", "valid", "val", "validation", "test", "testing")


class Instances(NamedTuple):
    """The regions of one photograph by lesion class, from the COCO file at ``path``."""

    path: Path
    photograph: Photograph
    regions: dict[str, list[Region]]

    def mask(self, lesion: str) -> Mask:
        """The union of one class's regions, (h, w) boolean; all False without any.

        Raises `AnnotationError` for a region that cannot be drawn.
        """
        shapes = []
        for region in self.regions.get(lesion, ()):
            with error_context(f"{self.path}: annotations.{region.place}"):
                shapes.append(region.shape(boxes=False))
        return draw(shapes, (self.photograph.height, self.photograph.width))


class Reader(FileDataset):
    """Reads the folder ``root``, of which the part after a question mark says the layout.

    Raises `SourceError` when neither the folder's ``coarsekit.toml`` nor the options describe it, it has no
    photograph, a list file leads outside it, or two photographs of a split have the same name.
    """

    name: str = "folder"
    """Unless the folder has one, by its coarsekit.toml or its own name."""
    title = "Any folder of photographs beside masks, described by coarsekit.toml"
    lesions: tuple[str, ...] = LESIONS
    """Unless the folder names others."""
    licence = UNKNOWN_LICENCE
    """Unless the folder states one."""
    citation = "That of the folder's own source, in the field citation of its coarsekit.toml"

    def __init__(self, root: Path) -> None:
        place, mark, options = str(root).partition("?")
        self._root = Path(place)
        self._config = config = config_of_options(options) if mark else read_folder_config(self._root)
        self._suffixes = tuple(config.suffixes or PHOTOGRAPHS)
        found = _photographs(self._root, config, self._suffixes)
        # Masks that lie beside their photographs are none themselves.
        masks = {self._place(pattern, split, path.stem) for split, path in found for pattern in self._patterns.values()}
        self._photographs = _keyed([(split, path) for split, path in found if path not in masks])
        if not self._photographs:
            raise SourceError(
                f"{self._root}: no photographs in its folder {config.images!r}; name their folder with images = '…'"
            )
        self._instances = self._read_instances()
        self.lesions = _lesions(config, self._instances)
        self.threshold = config.threshold
        self.name = config.name or name_of_folder(self._root)
        self.title = config.title or f"Folder {self._root.resolve().name}"
        self.citation = config.citation
        if config.licence:
            self.licence = Licence(**config.licence.model_dump())

    def splits(self) -> dict[str, tuple[str, ...]]:
        by_split: dict[str, list[str]] = {}
        for key, (split, _) in self._photographs.items():
            by_split.setdefault(split, []).append(key)
        return {split: tuple(keys) for split, keys in by_split.items()}

    def files(self, key: str) -> SampleFiles:
        if key not in self._photographs:
            raise SourceError(f"{self._root}: no photograph {key!r}; its photographs are named like {self.keys()[0]!r}")
        split, photograph = self._photographs[key]
        if self._config.coco:
            path = self._place(self._config.coco.file, split, "")
            instances = self._of(split, photograph)
            if instances is None:
                return SampleFiles(key, split, photograph, {})
            return SampleFiles(key, split, photograph, dict.fromkeys(instances.regions, path), ())
        places = {lesion: self._place(pattern, split, photograph.stem) for lesion, pattern in self._patterns.items()}
        masks = {lesion: path for lesion, path in places.items() if path.exists()}
        expected = {True: self.lesions, False: (), None: None}[self._config.every_class]
        return SampleFiles(key, split, photograph, masks, expected)

    def input_files(self, key: str) -> list[Path]:
        return [*super().input_files(key), self._root / FILE]

    def mask_files(self) -> Iterable[Path]:
        """Files in the folders that hold masks, unless photographs lie there too and no suffix tells them apart."""
        splits = self.splits()
        shown = {path for _, path in self._photographs.values()}
        folders = {
            (self._place(pattern, split, "x").parent, Path(pattern).suffix)
            for pattern in ([] if self._config.coco else self._patterns.values())
            for split in splits
        }
        found = {path for folder, suffix in sorted(folders) for path in list_images(folder, [suffix])}
        mixed = {path.parent for path in shown}
        return sorted(path for path in found - shown if path.parent not in mixed or path.suffix not in self._suffixes)

    def orphans(self) -> list[str]:
        if not self._config.coco:
            listed = list_images(self._root / self._config.images, self._suffixes) if self._config.splits else ()
            unlisted = {
                str(self._place(pattern, split, path.stem))
                for path in listed
                for split in self.splits()
                for pattern in self._patterns.values()
            }
            return [orphan for orphan in super().orphans() if orphan not in unlisted]
        shown = {(split, name) for split, path in self._photographs.values() for name in self._names(path)}
        named = ((split, name) for split, file in self._instances.items() for name in file)
        if "{split}" not in self._config.coco.file:
            shown = {(split, name) for split in self._instances for _, name in shown}
        where = self._config.coco.file
        return sorted({f"{where}: {name}" for split, name in named if (split, name) not in shown})

    def decode(self, files: SampleFiles, path: Path) -> Decoded:
        if self._config.coco:
            instances = self._of(files.split, files.photograph)
            return Decoded({lesion: instances.mask(lesion) for lesion in files.masks} if instances else {})
        if not self._config.label_map:
            return super().decode(files, path)
        values, classes = read_values(path), self._config.label_map.lesions
        odd = tuple(float(value) for value in np.unique(values) if value != 0 and value not in classes)
        masks = {lesion: np.zeros(values.shape, dtype=bool) for lesion in files.lesions_of(path)}
        for value, lesion in classes.items():
            masks[lesion] |= values == value
        return Decoded(masks, odd)

    @property
    def _patterns(self) -> dict[str, str]:
        if self._config.label_map:
            return dict.fromkeys(self._config.label_map.values.values(), self._config.label_map.file)
        return self._config.masks or {}

    def _place(self, pattern: str, split: str, stem: str) -> Path:
        return self._root / pattern.replace("{split}", split).replace("{stem}", stem)

    def _read_instances(self) -> dict[str, dict[str, Instances]]:
        coco = self._config.coco
        if coco is None:
            return {}
        read = cache(lambda path: _instances(path, coco.classes))
        try:
            return {split: read(self._place(coco.file, split, "")) for split in self.splits()}
        except AnnotationError as error:
            raise SourceError(str(error)) from None

    def _of(self, split: str, photograph: Path) -> Instances | None:
        """The instances of a photograph, by its path in the folder of photographs or by its name."""
        own = self._instances[split]
        return next((own[name] for name in self._names(photograph) if name in own), None)

    def _names(self, photograph: Path) -> tuple[str, str]:
        """What a COCO file may call a photograph: its path in the folder of photographs, or its name."""
        return photograph.relative_to(self._root / self._config.images).as_posix(), photograph.name


def _photographs(root: Path, config: FolderConfig, suffixes: tuple[str, ...]) -> list[tuple[str, Path]]:
    """Split and path of each photograph, in reading order."""
    images = root / config.images
    if config.splits:
        return [
            (split, path) for split, name in config.splits.items() for path in _listed(root / name, images, suffixes)
        ]
    flat = [("all", path) for path in list_images(images, suffixes)]
    if flat or not images.is_dir():
        return flat
    folders = [folder for folder in images.iterdir() if folder.is_dir() and not folder.name.startswith(".")]
    folders.sort(key=lambda folder: (_ORDER.index(folder.name) if folder.name in _ORDER else len(_ORDER), folder.name))
    return [(folder.name, path) for folder in folders for path in list_images(folder, suffixes)]


def _listed(file: Path, images: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """The photographs that a list file names, one a line, by path or by name without suffix; '#' starts a comment."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as cause:
        raise SourceError(f"{file}: cannot be read ({cause}); expected one photograph a line") from None
    paths = []
    for number, line in enumerate(lines, start=1):
        name = line.partition("#")[0].strip()
        if not name:
            continue
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or "\0" in name:
            raise SourceError(f"{file}: line {number} leads outside the folder of photographs ({name!r}); correct it")
        plain = images / name
        near = [] if plain.exists() else sorted(plain.parent.glob(f"{escape(plain.name)}.*"))
        near = [path for path in near if path.stem == plain.name and path.suffix.lower() in suffixes]
        if len(near) > 1:
            raise SourceError(
                f"{file}: line {number} ({name!r}) fits {' and '.join(path.name for path in near[:2])}; write the one "
                "that is meant"
            )
        paths.append(near[0] if near else plain)
    return paths


def _keyed(photographs: list[tuple[str, Path]]) -> dict[str, tuple[str, Path]]:
    stems = [path.stem for _, path in photographs]
    unique = len(set(stems)) == len(stems)
    keyed: dict[str, tuple[str, Path]] = {}
    for split, path in photographs:
        key = path.stem if unique else f"{split}-{path.stem}"
        if key in keyed:
            raise SourceError(f"{path}: a second photograph of that name (the first is {keyed[key][1]}); rename one")
        keyed[key] = split, path
    return keyed


def _lesions(config: FolderConfig, instances: Mapping[str, Mapping[str, Instances]]) -> tuple[str, ...]:
    if config.masks:
        return tuple(config.masks)
    if config.label_map:
        return tuple(dict.fromkeys(config.label_map.lesions.values()))
    if config.coco and config.coco.classes:
        return tuple(dict.fromkeys(config.coco.classes.values()))
    return tuple(sorted({name for file in instances.values() for own in file.values() for name in own.regions}))


def _instances(path: Path, classes: Mapping[str, str] | None) -> dict[str, Instances]:
    """The instances of a COCO file by the photographs' names in it.

    ``classes``: lesion class by category; other categories are left out. None takes every category by its own name.
    """
    found = {}
    for photograph in read_photographs(load(path), classes):
        name = PurePosixPath(photograph.file_name)
        if name.is_absolute() or ".." in name.parts:
            raise AnnotationError(
                f"{path}: image {photograph.file_name!r} lies outside the folder; use a path inside it"
            )
        regions: dict[str, list[Region]] = {}
        for region in photograph.regions:
            if region.is_empty:
                continue
            lesion = region.label if classes is None else classes[region.label]
            regions.setdefault(lesion_name(lesion), []).append(region)
        found[photograph.file_name] = Instances(path, photograph, regions)
    return found
