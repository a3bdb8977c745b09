from .annotations import read_annotation as read_annotation
from .annotations.convert import ConvertReport as ConvertReport
from .annotations.convert import WriteReport as WriteReport
from .annotations.convert import convert as convert
from .annotations.convert import write_annotations as write_annotations
from .datasets import open_source as open_source
from .datasets.base import Dataset as Dataset
from .datasets.checks import CheckReport as CheckReport
from .datasets.checks import check as check
from .errors import CoarsekitError as CoarsekitError
from .export.export import ExportReport as ExportReport
from .export.run import export_pairs as export_pairs
from .images import read_image as read_image
from .images import read_mask as read_mask
from .simulation.calibration import Calibration as Calibration
from .simulation.calibration import calibrate as calibrate
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
