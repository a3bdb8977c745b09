"""Any folder of photographs beside masks, described by a ``coarsekit.toml`` in it or by options in the SOURCE.

``folder:PATH``, or ``folder:PATH?images=photos&masks=masks/{stem}_{lesion}.png&lesions=MA,HE`` (in quotes, for the
shell). `folder_config` shows every field: one mask file per class, one label map, or COCO
instances; splits by folder or by list file. A folder that states no licence may not be passed on.

A photograph's key is its name without the suffix; where two splits hold the same name, the split stands before it.
Two photographs of a split that differ in the suffix alone cannot be used. Nor can one whose mask may be a file that is
called otherwise than the pattern says: it does not count as healthy.
"""

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from coarsekit.annotations.folder_labels import FILE
from coarsekit.datasets.base import UNKNOWN_LICENCE, FileDataset, Licence, SampleFiles
from coarsekit.datasets.folder_coco import CocoFiles
from coarsekit.datasets.folder_config import FolderConfig, config_of_options, name_of_folder, read_folder_config
from coarsekit.datasets.folder_masks import FolderMasks, Resembling
from coarsekit.datasets.folder_photographs import find_photographs, hidden_photographs, keyed
from coarsekit.datasets.layout import in_any_case, list_images, near_name, split_keys
from coarsekit.datasets.mask_values import Decoded, decode_classes
from coarsekit.errors import SourceError
from coarsekit.images import PHOTOGRAPHS, read_channels
from coarsekit.types import LESIONS

_LOSSLESS = (".png", ".tif", ".tiff", ".bmp", ".gif")
"""Suffixes of masks that no pattern may name, and that belong to no photograph then."""


class Reader(FileDataset):
    """Reads the folder ``root``, of which the part after a question mark says the layout.

    Raises `SourceError` when neither the folder's ``coarsekit.toml`` nor the options describe it, it has no
    photograph, a list file leads outside it, or two photographs have one mask.
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
        found = find_photographs(self._root, config, self._suffixes)
        self._photographs = keyed(self._without_masks(found))
        self._masks = FolderMasks(self._root, self._patterns, list(self._photographs.values()))
        if not self._photographs:
            raise SourceError(
                f"{self._root}: no photographs in its folder {config.images!r}; name their folder with images = '…'"
            )
        self._coco = self._read_coco()
        self._check_no_mask_is_of_two()
        self.lesions = _lesions(config, self._coco)
        self.threshold = config.threshold
        self.name = config.name or name_of_folder(self._root)
        self.title = config.title or f"Folder {self._root.resolve().name}"
        self.citation = config.citation
        if config.licence:
            self.licence = Licence(**config.licence.model_dump())

    def splits(self) -> dict[str, tuple[str, ...]]:
        return split_keys(self._photographs)

    def files(self, key: str) -> SampleFiles:
        if key not in self._photographs:
            raise SourceError(f"{self._root}: no photograph {key!r}; its photographs are named like {self.keys()[0]!r}")
        split, photograph = self._photographs[key]
        doubt = self._namesake(key)
        if self._coco:
            doubt = doubt or self._coco.doubt(split, photograph)
            instances = self._coco.of(split, photograph)
            if instances is None:
                return SampleFiles(key, split, photograph, {}, doubt=doubt)
            return SampleFiles(key, split, photograph, dict.fromkeys(instances.regions, instances.path), (), doubt)
        masks = self._masks.of(split, photograph)
        if len(masks) < len(self._patterns):
            doubt = doubt or self._masks.doubt(split, photograph, masks, self._resembling)
        expected = {True: self.lesions, False: (), None: None}[self._config.every_class]
        return SampleFiles(key, split, photograph, masks, expected, doubt)

    def input_files(self, key: str) -> list[Path]:
        return [*super().input_files(key), self._root / FILE]

    def mask_files(self) -> Iterable[Path]:
        """Files in the folders that hold masks, unless photographs lie there too and no suffix tells them apart."""
        splits = self.splits()
        shown = {path for _, path in self._photographs.values()}
        folders = {
            (self._masks.place(pattern, split, "x").parent, Path(pattern).suffix)
            for pattern in ([] if self._config.coco else self._patterns.values())
            for split in splits
        }
        found = {path for folder, suffix in sorted(folders) for path in list_images(folder, [suffix, *_LOSSLESS])}
        mixed = {path.parent for path in shown}
        return sorted(path for path in found - shown if path.parent not in mixed or path.suffix not in self._suffixes)

    def orphans(self) -> list[str]:
        if self._coco:
            images = self._root / self._config.images
            named = self._coco.unclaimed()
            if self._config.splits:  # what list files leave out is left out on purpose
                named = [(file, name) for file, name in named if not (images / name).exists()]
            unclaimed = [f"{file.relative_to(self._root).as_posix()}: {name}" for file, name in named]
            return [*self._coco.lost, *sorted(unclaimed)]
        return [str(path) for path in self._unclaimed()]

    def _unclaimed(self) -> list[Path]:
        """Mask files of no photograph, not even of one that list files leave out on purpose."""
        listed = list_images(self._root / self._config.images, self._suffixes) if self._config.splits else ()
        unlisted = {
            near_name(self._masks.place(pattern, split, path.stem))
            for path in listed
            for split in self.splits()
            for pattern in self._patterns.values()
        }
        matched = {path for own in self._photographs.values() for path in self._masks.of(*own).values()}
        return [path for path in self.mask_files() if path not in matched and near_name(path) not in unlisted]

    @cached_property
    def _resembling(self) -> Resembling:
        return Resembling(self._unclaimed())

    def notes(self, keys: Iterable[str]) -> list[str]:
        notes = super().notes(keys)
        lost = self._coco.lost if self._coco else ()
        return notes + [sentence for sentence in lost if not any(sentence in note for note in notes)]

    def unread(self) -> list[str]:
        read = {path for _, path in self._photographs.values()}
        hidden = hidden_photographs(self._root, self._config, self._suffixes, read)
        kept = self._without_masks([*self._photographs.values(), *((path.parent.name, path) for path in hidden)])
        keys = self._photographs if hidden else ()
        of_masks = {path.parent for key in keys for path in self.files(key).masks.values()}
        return [str(path) for _, path in kept if path not in read and path.parent not in of_masks]

    def decode(self, files: SampleFiles, path: Path) -> Decoded:
        if self._coco:
            instances = self._coco.of(files.split, files.photograph)
            return Decoded({lesion: instances.mask(lesion) for lesion in files.masks} if instances else {})
        if not self._config.label_map:
            return super().decode(files, path)
        return decode_classes(*read_channels(path), self._config.label_map.lesions, files.lesions_of(path))

    @property
    def _patterns(self) -> dict[str, str]:
        if self._config.label_map:
            return dict.fromkeys(self._config.label_map.values.values(), self._config.label_map.file)
        return self._config.masks or {}

    def _without_masks(self, found: list[tuple[str, Path]]) -> list[tuple[str, Path]]:
        """Those that are not masks beside their photographs."""
        masks, patterns = FolderMasks(self._root, self._patterns, []), dict.fromkeys(self._patterns.values())
        places = [(path, masks.place(pattern, split, path.stem)) for split, path in found for pattern in patterns]
        exact = {_plain(place) for _, place in places}
        near = {name for path, place in places if (name := near_name(place)) != near_name(path)}
        return [(split, path) for split, path in found if _plain(path) not in exact and near_name(path) not in near]

    def _namesake(self, key: str) -> str:
        """Why a photograph cannot be told from another of its split, a sentence; empty for one that can."""
        split, photograph = self._photographs[key]
        others = [path for path in self._namesakes.get((split, photograph.stem), ()) if path != photograph]
        return f"{photograph}: a second photograph of that name ({others[0]}); rename one" if others else ""

    @cached_property
    def _namesakes(self) -> dict[tuple[str, str], list[Path]]:
        """The photographs of each split by their names without suffixes."""
        found: dict[tuple[str, str], list[Path]] = {}
        for split, photograph in self._photographs.values():
            found.setdefault((split, photograph.stem), []).append(photograph)
        return found

    def _read_coco(self) -> CocoFiles | None:
        coco = self._config.coco
        if coco is None:
            return None
        places = {split: self._masks.place(coco.file, split, "") for split in self.splits()}
        photographs = list(self._photographs.values())
        return CocoFiles(places, photographs, self._root / self._config.images, coco.classes)

    def _check_no_mask_is_of_two(self) -> None:
        """Refuse a mask file that would be read as that of two photographs."""
        owners: dict[Path, Path] = {}
        for key, (split, photograph) in self._photographs.items():
            for pattern in () if self._namesake(key) else dict.fromkeys(self._patterns.values()):
                place = self._masks.place(pattern, split, photograph.stem)
                other = owners.setdefault(_plain(place), photograph)
                mask = in_any_case(place) if other != photograph else None
                if mask:
                    raise SourceError(
                        f"{mask}: two photographs have this mask, {other} and {photograph}; "
                        f"{_telling_apart(pattern, other.stem == photograph.stem)}"
                    )


def _telling_apart(pattern: str, same_name: bool) -> str:
    """What to do about a mask of two photographs."""
    part = "{split}" if same_name else "{stem}"
    if part in pattern:
        return f"change the pattern {pattern!r}, or the names of one photograph and its masks"
    return f"write {part} in the pattern {pattern!r}" + (", and have a folder of masks for each" if same_name else "")


def _plain(path: Path) -> Path:
    """The path with its suffix in small letters: masks and photographs are found in any case of it."""
    return path.with_name(path.stem + path.suffix.lower())


def _lesions(config: FolderConfig, coco: CocoFiles | None) -> tuple[str, ...]:
    if config.masks:
        return tuple(config.masks)
    if config.label_map:
        return tuple(dict.fromkeys(config.label_map.lesions.values()))
    if config.coco and config.coco.classes:
        return tuple(dict.fromkeys(config.coco.classes.values()))
    return coco.lesions if coco else ()
