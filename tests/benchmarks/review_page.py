"""How soon the page of a review opens, and how soon it answers a key.

    python tests/benchmarks/review_page.py [WIDTH [PHOTOGRAPHS]]

50 photographs without a number, 100 marks each; WIDTH × 2/3 px, 4288 without a number. The page may
take 5 s to open, and 200 ms for a key: from the key to the end of the picture that it changed. Needs chromium and
chromedriver.
"""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.zoo.review.browser import MISSING, browsing
from tests.zoo.review.many import OBSERVE, OPENED, READY, write_many
from zoo.review.page import write_page

WIDTH, PHOTOGRAPHS, MARKS = 4288, 50, 100


def main(width: int = WIDTH, photographs: int = PHOTOGRAPHS) -> None:
    """Print the seconds to write the page and to open it, its size, and the milliseconds that keys take."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_many(folder / "out", photographs, MARKS, (width, width * 2 // 3))
        began = time.perf_counter()
        report = write_page(folder / "out")
        wrote = time.perf_counter() - began
        size = sum(file.stat().st_size for file in report.page.parent.rglob("*") if file.is_file())
        print(f"{photographs} photographs {width} px wide, {report.marks} marks")
        print(f"page written in {wrote:.1f} s, {size / 1e6:.0f} MB")
        with browsing(folder / "browser", (1600, 1000)) as browser:
            browser.open(report.page)
            browser.wait(READY)
            print(f"opened in       {browser.run(OPENED) / 1000:6.2f} s")
            for what, keys in {"next": "n" * 20, "accept": "a" * 20, "reject": "r" * 20, "undo": "u" * 10}.items():
                browser.run(OBSERVE if what == "next" else "window.answered = []")
                for count, key in enumerate(keys, start=1):
                    browser.press(key)
                    browser.wait("return window.answered.length === arguments[0]", count)
                times = browser.run("return window.answered")
                print(f"{what:15} {np.median(times):6.0f} ms in the middle, {max(times):4.0f} ms at most")


if __name__ == "__main__":
    sys.exit(MISSING) if MISSING else main(*map(int, sys.argv[1:]))
