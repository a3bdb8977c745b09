"""What the labels of annotation tools stand for: the user's table first, then the names in ``labels.toml``.

Names are compared by what `normalise` makes of them.
"""

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from unicodedata import category, normalize

from coarsekit.errors import AnnotationError, ParameterError
from coarsekit.types import EX, HE, LESIONS, lesion_name

LEFT_OUT = ""
"""The class of what is left out."""
_SHOWN = 30
"""Labels that a sentence names: among those that are taken for lesions may be an optic disc."""
_ATTRIBUTES = ("lesion", "label", "class", "type", "name")
_SIGN = r"[\s_.‐-―-]"
_BETWEEN = re.compile(rf"(?<!\d)(?<!{_SIGN}){_SIGN}+|(?<=\d){_SIGN}+(?!{_SIGN}|\d)")
"""What stands between the words of a label, but for what stands between digits."""
_UNDEFINED = "__undefined__"
"""What CVAT writes for a choice that was never made."""
_SPELLINGS = {"æ": "e", "œ": "e", "ä": "e", "ae": "e", "disk": "disc", "artifact": "artefact", "center": "centre"}
_SPELLINGS |= {"isation": "ization"}


@lru_cache(4096)
def normalise(label: str) -> str:
    """The label without case, accents, spaces, hyphens, underscores, dots and plural, in one spelling.

    Signs that are not seen do not count, nor how wide letters are. Between digits every sign counts, and so it does in
    a label without a letter: 1.1 is not 11. Empty for no label.
    """
    seen = " ".join("".join(sign for sign in normalize("NFKC", label) if category(sign) != "Cf").split()).casefold()
    if not any(sign.isalpha() for sign in seen):
        return seen or label.strip().casefold()
    words = _BETWEEN.split(seen)
    joined = "".join(word.removesuffix("(s)").removesuffix("s") if len(word) > 2 else word for word in words)
    for spelling, ours in _SPELLINGS.items():
        joined = joined.replace(spelling, ours)
    plain = "".join(sign for sign in normalize("NFD", joined) if not "\u0300" <= sign <= "\u036f")
    return plain or label.strip().casefold()


def known(label: str) -> str | None:
    """The lesion class that a usual name stands for: `LEFT_OUT` for what is no lesion, None for any other name.

    Of ``Hard exudates (EX)`` both parts must say the same.
    """
    named = re.fullmatch(r"(.+?)\s*[(\[](?!s\))(.+)[)\]]\s*", label)
    found = {_known_names().get(normalise(part)) for part in (named.groups() if named else (label,))}
    return found.pop() if len(found) == 1 else None


def label_of(value: object) -> str:
    """The label that a field of a tool's file holds: a text, a number as text, of check boxes the only one ticked.

    Empty for anything else, and for a choice that was never made.
    """
    if isinstance(value, dict):
        ticked = [option for option, on in value.items() if on]
        value = ticked[0] if len(ticked) == 1 else None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{value:g}" if isinstance(value, float) else str(value)
    label = value.strip() if isinstance(value, str) else ""
    return "" if label == _UNDEFINED else label


def choose_label(attributes: Mapping[str, object], telling: Collection[str] = ()) -> str:
    """The name of the attribute that holds a region's label; empty where none is clear.

    It is the first with a value of those called lesion, label, class, type and name, in this order; where some of them
    tell lesions, the others do not count. Without a value in these it is the only other one that tells lesions, and
    where there is but one attribute, this.

    Args:
        attributes: Value by the attribute's name.
        telling: The attributes that tell lesions: anywhere in the file they have one that is known as their value.
    """
    by_name = {name.strip().casefold(): name for name in attributes}
    named = [by_name[field] for field in _ATTRIBUTES if field in by_name]
    named = [name for name in named if name in telling] or named
    others = [name for name in attributes if name in telling and name not in named and has_value(attributes[name])]
    filled = [name for name in named if has_value(attributes[name])] or (others if len(others) == 1 else [])
    return next(iter([*filled, *named, *(attributes if len(attributes) == 1 else ())]), "")


def has_value(value: object) -> bool:
    """Whether an attribute has a label: check boxes have several where several are ticked."""
    return bool(label_of(value)) or (isinstance(value, Mapping) and any(value.values()))


class Labels:
    """What labels stand for, with a user's table.

    Args:
        table: Lesion class by label; the empty label is that of regions without one, None or an empty class leaves
            regions out.

    Raises:
        ParameterError: For a class that could not name a file, and for labels that `normalise` makes one but that have
            two classes.
    """

    def __init__(self, table: Mapping[str, str | None]) -> None:
        if not isinstance(table, Mapping):
            raise ParameterError(
                f"the parameter labels must be a dictionary, such as {{'Haem': 'HE'}}, got {type(table).__name__}"
            )
        self._names: dict[str, str] = {}
        self._table: dict[str, str] = {}
        for label, given in table.items():
            if not (given is None or isinstance(given, str)) or not isinstance(label, str):
                raise ParameterError(f"the parameter labels must have texts, such as 'MA', got {label!r}: {given!r}")
            lesion = (given or LEFT_OUT).strip()
            try:
                lesion = lesion and lesion_name(lesion)
            except AnnotationError as error:
                raise ParameterError(f"the parameter labels: {error}") from None
            lesion = lesion.upper() if lesion.upper() in LESIONS else lesion  # on many disks ma.png is MA.png
            key = normalise(label)
            if self._table.setdefault(key, lesion) != lesion:
                raise ParameterError(
                    f"the parameter labels gives {label!r} two lesion classes, {self._table[key] or 'none'} and "
                    f"{lesion or 'none'}; keep one"
                )
            self._names.setdefault(key, label)

    def lesion(self, label: str) -> str | None:
        """The lesion class of a label: as told, as known, else its own name, changed where it cannot name a file.

        `LEFT_OUT` for what is left out; None for a region without a label of which the table says nothing.
        """
        told = self.told(label)
        told = known(label) if told is None else told
        return told if told is not None or not label else own_class(label)

    def told(self, label: str) -> str | None:
        """What the user's table says of a label; None where it says nothing."""
        return self._table.get(normalise(label))

    def says_class(self, label: str) -> bool:
        """Whether a label surely stands for a class, or for what is no lesion: the user says so, or it is known."""
        return self.told(label) is not None or known(label) is not None

    def says_lesion(self, label: str) -> bool:
        """Whether a label surely stands for a lesion, as `says_class` has it."""
        told = self.told(label)
        return bool(known(label) if told is None else told)

    @property
    def classes(self) -> frozenset[str]:
        """The classes that the user's table names."""
        return frozenset(filter(None, self._table.values()))

    def notes(self, labels: Mapping[str, int], lesions: Mapping[str, str]) -> list[str]:
        """What is to be said of a reading.

        These are the labels that are no lesion or unknown, those that became one class, and what of the table was not
        met.

        ``labels``: how many regions have each label, the empty one for none. ``lesions``: what each became.
        """
        unknown = [label for label in labels if label and not self.says_class(label)]
        dropped = [label for label in labels if label and lesions[label] == LEFT_OUT]
        missed = [name for key, name in self._names.items() if key not in {normalise(label) for label in labels}]
        notes = []
        for asked, why in ((True, "as asked"), (False, "for it is no lesion; name a class by labels=… to keep it")):
            if those := [label for label in dropped if (self.told(label) is not None) == asked]:
                notes.append(f"{_regions(those, labels)} left out, {why}.")
        if unknown:
            changed = list(dict.fromkeys(f"{lesions[label]!r}" for label in unknown if lesions[label] != label))
            named = f" (in file names {', '.join(changed)})" if changed else ""
            notes.append(
                f"{_regions(unknown, labels)} read as a class of that name{named}, for no known lesion is called so; "
                f"name its class by labels=…, such as {f'{unknown[0]}=MA'!r}, or leave it out by "
                f"{f'{unknown[0]}='!r}."
            )
        notes += [*_spelt_as_one(unknown, lesions), *self._as_one(labels, lesions)]
        return notes + [f"No region has the label {name!r}." if name else "No region lacks a label." for name in missed]

    def _as_one(self, labels: Iterable[str], lesions: Mapping[str, str]) -> list[str]:
        """The labels of each known class that several stand for, unless they are mere spellings of one another.

        The user has chosen the class of those in the table; those for haemorrhages count beside ``HE``, which may then
        mean hard exudates.
        """
        notes = []
        for lesion in LESIONS:
            own: dict[str, str] = {}
            for label in labels:
                told_other = self.told(label) is not None and known(label) not in (None, lesion)
                if label and lesions[label] == lesion and not told_other:
                    own.setdefault(normalise(label), label)
            doubtful = lesion == HE and normalise(HE) in own and self.told(HE) is None
            if not doubtful:
                own = {key: label for key, label in own.items() if self.told(label) is None}
            if len(own) < 2:
                continue
            advice = (
                f"where they are not one, name a class by labels=…, such as {f'{own[next(reversed(own))]}=other'!r}"
            )
            if doubtful:
                alone = "" if EX in lesions.values() else ", and no label stands for them here"
                he = own[normalise(HE)]
                advice = (
                    f"some call hard exudates {HE}{alone}: if so, name their class by labels=…, such as {f'{he}=EX'!r}"
                )
            notes.append(f"The labels {_listed(own.values())} are read as one class, {lesion}; {advice}.")
        return notes


def completed(table: Mapping[str, str | None], more: Mapping[str, str | None]) -> dict[str, str | None]:
    """The table, and what ``more`` says of labels that are not in it, however they are written."""
    told = {normalise(label) for label in table}
    return {**table, **{label: lesion for label, lesion in more.items() if normalise(label) not in told}}


def own_class(label: str) -> str:
    """The class of a label that stands for no known lesion: its own name, as it can name files, in one Unicode form."""
    return usable(" ".join(normalize("NFC", label).split()))


def usable(label: str) -> str:
    """The label as it can name files: without what is not allowed there."""
    try:
        return lesion_name(label)
    except AnnotationError:
        return re.sub(r'[/\\:*?"<>|\x00-\x1f]', "-", label.strip().lstrip(".")) or "-"


def _spelt_as_one(unknown: Iterable[str], lesions: Mapping[str, str]) -> list[str]:
    """A sentence for each class of a label that is not known, and comes in several spellings."""
    spellings: dict[str, list[str]] = {}
    for label in unknown:
        spellings.setdefault(lesions[label], []).append(label)
    return [
        f"The labels {_listed(labels)} are read as spellings of one class, {lesion!r}."
        for lesion, labels in spellings.items()
        if len(labels) > 1
    ]


def _listed(labels: Iterable[str]) -> str:
    *first, last = map(repr, labels)
    return f"{', '.join(first)} and {last}"


def _regions(labels: Iterable[str], counts: Mapping[str, int]) -> str:
    named = [f"{label!r} (of {counts[label]} region{'s'[: counts[label] != 1]})" for label in labels]
    shown = named[:_SHOWN] + ([f"{len(named) - _SHOWN} more labels"] if len(named) > _SHOWN else [])
    return f"{', '.join(shown)} {'is' if len(named) == 1 else 'are'}"


@cache
def _known_names() -> dict[str, str]:
    """Lesion class by normalised name, `LEFT_OUT` for what is no lesion."""
    table = tomllib.loads(files(__package__).joinpath("labels.toml").read_text(encoding="utf-8"))
    return {
        normalise(name): LEFT_OUT if lesion == "no_lesion" else lesion
        for lesion, names in table.items()
        for name in names
    }
