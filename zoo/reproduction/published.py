"""The paper's own numbers: Yu et al., MLMI 2022 (arXiv 2208.14294), Tables 1 and 2, both on page 7.

Image-level average IoU in percent and its standard deviation, by method and lesion class as the tables name them.
"""

from typing import NamedTuple


class Cell(NamedTuple):
    """A cell of a table of the paper, in percent."""

    iou: float
    std: float


Rows = dict[str, dict[str, Cell]]
INITIAL = "Initial Coarse"
"""The paper's name of the floor."""
AVERAGE = "average"


def _rows(lesions: str, text: str) -> Rows:
    """Rows of ``method: iou std iou std …``, with two numbers for each of ``lesions``."""
    rows: Rows = {}
    for line in text.strip().splitlines():
        method, _, cells = line.partition(": ")
        numbers = [float(number) for number in cells.split()]
        pairs = zip(numbers[::2], numbers[1::2], strict=True)
        rows[method.strip()] = {name: Cell(*pair) for name, pair in zip(lesions.split(), pairs, strict=True)}
    return rows


TABLE1 = _rows(
    "MA SE EX HE average",
    """
    Initial Coarse: 9.6 2.6 49.3 10.4 15.0 5.2 33.2 8.6 26.8 6.7
    Res18: 73.9 7.3 68.4 14.2 54.1 9.4 62.6 10.9 64.7 10.5
    HRNet18: 79.1 7.5 78.1 5.3 56.8 9.1 64.8 11.8 69.7 8.4
    U-Net: 77.6 6.8 75.6 12.6 58.9 8.9 67.9 11.4 70.0 9.9
    Our methods: 84.2 6.2 80.7 9.2 65.3 8.1 69.9 13.9 75.0 9.4
    w/ superpixel: 84.1 6.2 79.6 9.9 65.9 8.7 71.1 11.2 75.2 9.0
    """,
)
"""IDRiD's test photographs, by networks trained on its training photographs."""
TABLE2_DDR = _rows(
    "MA SE EX HE average",
    """
    Initial Coarse: 6.9 3.4 32.3 10.8 14.8 8.8 23.1 11.4 19.3 8.6
    Res18: 56.3 12.4 67.6 13.6 52.3 13.2 54.4 13.3 57.6 13.1
    HRNet18: 65.1 13.5 68.2 12.6 54.2 13.9 58.5 12.9 61.5 13.3
    U-Net: 60.9 13.2 70.2 15.0 55.4 12.8 59.8 12.7 61.6 13.4
    Our methods: 68.8 12.0 71.2 16.9 58.4 12.7 61.3 15.7 64.9 14.3
    w/ superpixel: 69.8 11.9 72.0 17.5 58.9 12.4 62.9 14.5 65.9 14.1
    """,
)
"""DDR's test photographs, by the networks of Table 1."""
TABLE2_PRIVATE = _rows(
    "Drus Prh average",
    """
    Initial Coarse: 33.6 19.1 49.7 13.0 41.6 16.0
    Res18: 43.9 16.6 52.9 15.2 48.4 15.9
    HRNet18: 44.2 21.1 57.5 16.4 50.9 18.8
    U-Net: 45.2 20.9 57.9 16.4 51.6 18.6
    Our methods: 47.9 23.4 56.3 20.7 52.1 22.1
    w/ superpixel: 49.1 23.0 62.6 15.3 55.9 19.1
    """,
)
"""Drusen and pre-retinal haemorrhages, which no network was trained on, in the authors' own photographs."""


STYLE = "paper"
"""The style of drawings that these numbers are for."""


def published(experiment: str, protocol: str, reader: str, style: str) -> tuple[str, Rows]:
    """Where the paper has the numbers for a protocol on a dataset of a reader, and the numbers; none is empty."""
    if style != STYLE:
        return "", {}
    if experiment == "table1" and reader == "idrid":
        return "Yu et al., Table 1, page 7: IDRiD", TABLE1
    if experiment == "table2" and protocol == "cross-dataset" and reader == "ddr":
        return "Yu et al., Table 2, page 7: DDR", TABLE2_DDR
    if experiment == "table2" and protocol == "cross-class":
        return "Yu et al., Table 2, page 7: private dataset, two classes never seen", TABLE2_PRIVATE
    return "", {}
