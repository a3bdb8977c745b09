"""What the tests of annotation formats share: writing a file, and the sentence of a refusal."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from coarsekit.annotations import read_annotations
from coarsekit.annotations.reading import ReadOptions
from coarsekit.errors import AnnotationError


@pytest.fixture
def put(tmp_path) -> Callable[[str, object], Path]:
    """Write a text, bytes, or an object as JSON to a file of that name."""

    def write(name: str, content: object) -> Path:
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    return write


@pytest.fixture
def refused(put) -> Callable[[str, object], str]:
    """The one sentence with which a file is refused where nothing may be left out; it names the file."""

    def read(name: str, content: object) -> str:
        path = put(name, content)
        with pytest.raises(AnnotationError) as caught:
            read_annotations(path, ReadOptions(strict=True))
        sentence = str(caught.value)
        assert sentence.startswith(str(path)), sentence
        assert "\n" not in sentence
        return sentence.removeprefix(str(path))

    return read
