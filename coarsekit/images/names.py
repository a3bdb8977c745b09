"""When two names of image files are one but for what systems and programs change in them."""

from unicodedata import normalize

PHOTOGRAPHS = (
    *(".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".ppm", ".gif", ".webp", ".jp2"),
    *(".dcm", ".dicom"),
)
"""Suffixes by which photographs and masks are found; what a file is, its content says."""


def folded(name: str) -> str:
    """A name without regard to case, and to how the system composes its accents."""
    return normalize("NFC", name).casefold()


def folded_stem(name: str) -> str:
    """A path without regard to case, accents, and the suffix of an image file."""
    plain = folded(name)
    return next((plain.removesuffix(suffix) for suffix in PHOTOGRAPHS if plain.endswith(suffix)), plain)
