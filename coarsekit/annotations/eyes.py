"""What names say of a photograph beside the patient: of which eye it is, and in which light it was taken."""

import re

_LEFT = (
    *("left", "l", "le", "os", "sinister"),
    *("links", "linke", "linkes", "linker", "la"),  # German and Dutch; the left eye is LA for German clinics
    *("gauche", "og"),  # French
    *("izquierdo", "izquierda", "izq", "oi"),  # Spanish; OI is Portuguese, too
    *("esquerdo", "esquerda", "esq"),  # Portuguese
    *("sinistro", "sinistra", "sx"),  # Italian
    *("vänster", "venstre", "lewe", "lewy", "левый", "левое"),
)
_RIGHT = (
    *("right", "r", "re", "od", "dexter"),
    *("rechts", "rechte", "rechtes", "rechter", "ra"),
    *("droit", "droite"),
    *("derecho", "derecha", "der"),
    *("direito", "direita", "dir"),
    *("destro", "destra", "dx"),
    *("höger", "højre", "prawe", "prawy", "правый", "правое"),
)
EYES = dict.fromkeys(_LEFT, "left") | dict.fromkeys(_RIGHT, "right")
"""What names call the left and the right eye, in lower case."""
_SIGNS = {"左": "left", "右": "right", "좌안": "left", "우안": "right"}
"""The same in writings that put no space between words."""
_LIGHTS = {
    **dict.fromkeys(("colour", "color", "couleur", "farbe", "colore"), "colour"),
    **dict.fromkeys(("redfree", "red-free", "red_free", "red free", "rotfrei"), "redfree"),
    **dict.fromkeys(("fa", "ffa", "fluorescein", "angiography", "angio"), "angiogram"),
    **dict.fromkeys(("faf", "autofluorescence"), "autofluorescence"),
}
_WORDS = {**EYES, **_LIGHTS}
_FOUND = re.compile(
    rf"(?<![^\W\d_])(?:{'|'.join(sorted(_WORDS, key=len, reverse=True))})(?![^\W\d_])|{'|'.join(_SIGNS)}"
)
"""Such a word has no letter before or after it; a number may be there."""
_SAID = re.compile("<[a-z]+>")


def eye_of(word: str) -> str:
    """``left`` or ``right`` for a word, in lower case, that stands for that eye; else the word itself."""
    return EYES.get(word) or next((eye for sign, eye in _SIGNS.items() if sign in word), word)


def told(path: str) -> str:
    """A path in lower case with one sign for each eye and each light, whatever words it has for them."""
    return _FOUND.sub(lambda found: f"<{_WORDS.get(found[0]) or _SIGNS[found[0]]}>", path)


def said_in(part: str) -> list[str]:
    """The signs for eyes and lights in a part of what `told` gives."""
    return _SAID.findall(part)


def untold(part: str) -> str:
    """Such a part with one sign for either eye, and one for any light."""
    return _SAID.sub(lambda found: "<eye>" if found[0] in ("<left>", "<right>") else "<light>", part)
