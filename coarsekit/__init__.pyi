from .annotations import read_annotation as read_annotation
from .datasets import open_source as open_source
from .datasets.base import Dataset as Dataset
from .errors import CoarsekitError as CoarsekitError
from .images import read_image as read_image
from .images import read_mask as read_mask
from .simulation.simulate import annotate as annotate
from .simulation.styles import HUMAN as HUMAN
from .simulation.styles import PAPER as PAPER
from .simulation.styles import Style as Style
from .types import Annotation as Annotation
from .types import Ellipse as Ellipse
from .types import Fundus as Fundus
from .types import Line as Line
from .types import Mark as Mark
from .types import Point as Point
from .types import Polygon as Polygon
from .types import Raster as Raster

__all__: list[str]
__version__: str
