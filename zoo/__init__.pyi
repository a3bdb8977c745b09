from .checkpoints.folder import list_refiners as list_refiners
from .evaluation.run import evaluate as evaluate
from .loading import from_pretrained as from_pretrained
from .output.folder_run import RefineReport as RefineReport
from .output.refine_to_folder import refine_to_folder as refine_to_folder
from .output.tool_files import ToolOptions as ToolOptions
from .refiner import Refiner as Refiner
from .training.run import train as train

__all__: list[str]
__version__: str
