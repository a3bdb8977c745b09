"""One error tree: every error is one sentence that says what, where, what was expected, and what to do."""

from collections.abc import Iterable
from difflib import get_close_matches


class CoarsekitError(Exception):
    """Base of all errors that a user's input can cause; the command line prints it and exits with 2."""


class ImageError(CoarsekitError):
    """A file is missing, is not an image, or has no usable pixels."""


class AnnotationError(CoarsekitError):
    """An annotation is malformed, or does not fit its photograph."""


class SourceError(CoarsekitError):
    """A SOURCE names no dataset, or its folders are not laid out as its reader expects."""


class ParameterError(CoarsekitError):
    """A parameter lies outside its range."""


class OutputError(CoarsekitError):
    """A result cannot be written where it was asked for."""


class RefinerError(CoarsekitError):
    """No such refiner, or a checkpoint that does not hold what its config promises."""


class HubError(CoarsekitError):
    """The Hugging Face Hub was not reached, or did not do what it was asked."""


class LicenceError(CoarsekitError):
    """A dataset's licence does not allow what was asked for."""


class ResultsError(CoarsekitError):
    """A folder does not hold the results of an evaluation, or they are damaged or of another version."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``"; did you mean 'x'?"`` when a known name is near to a mistyped one, else the empty string."""
    near = get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
