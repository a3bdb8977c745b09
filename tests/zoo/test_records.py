"""Records that are read again."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coarsekit.annotations.native import shape_document, shape_of
from coarsekit.errors import AnnotationError, ParameterError
from coarsekit.types import Ellipse, Line, Point, Polygon, Raster, Shape
from zoo.output.records import drawn_in, finished_records

numbers = st.floats(-500, 5000, allow_nan=False)
sizes = st.floats(0.5, 400, allow_nan=False)
places = st.lists(st.tuples(numbers, numbers), min_size=3, max_size=6).map(tuple)


def shapes() -> st.SearchStrategy[Shape]:
    crops = st.integers(0, 2**12 - 1).map(lambda bits: np.array([bits >> place & 1 for place in range(12)], bool))
    return st.one_of(
        st.builds(Ellipse, numbers, numbers, sizes, sizes, st.floats(0, 180)),
        st.lists(places, min_size=1, max_size=2).map(lambda rings: Polygon(tuple(rings))),
        st.builds(Point, numbers, numbers, st.none() | sizes),
        st.builds(Line, places, st.none() | sizes),
        crops.filter(lambda crop: crop.any()).map(lambda crop: Raster(3, 5, crop.reshape(3, 4))),
    )


@given(shapes())
def test_a_shape_in_a_record_is_the_same_when_it_is_read_again(shape: Shape) -> None:
    assert shape_of(shape_document(shape)) == shape


def test_a_folder_without_results_and_an_older_record_are_said(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[")
    (tmp_path / "b.json").write_text('{"finished": true}')
    with pytest.raises(ParameterError, match="no photograph was refined into it"):
        list(finished_records(tmp_path))
    with pytest.raises(AnnotationError, match="refine the photograph again"):
        drawn_in({"image": "a.jpg", "width": 5, "height": 5, "masks": [], "marks": [{"mark": 0, "lesion": "MA"}]})
    with pytest.raises(AnnotationError, match="expected one of ellipses"):
        shape_of({"kind": "circle"})
