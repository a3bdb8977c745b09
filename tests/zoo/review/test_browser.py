"""The page in a browser, with real keys and clicks."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from coarsekit.geometry import draw
from coarsekit.images import read_mask
from coarsekit.types import Mask
from tests import command_line
from tests.zoo.review.browser import MISSING, Browser, browsing, hosts
from tests.zoo.review.conftest import DRAWN, SIZE
from tests.zoo.review.many import OBSERVE, OPENED, READY, write_many
from zoo.cli.main import main
from zoo.marks.mark_masks import mark_masks
from zoo.review.page import write_page

pytestmark = [pytest.mark.skipif(bool(MISSING), reason=MISSING), pytest.mark.timeout(600)]


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with browsing(tmp_path / "browser", (1280, 800)) as one:
        yield one
        assert one.log() == []
        assert hosts(one.requested()) == set()


@pytest.fixture
def page(work: Path, browser: Browser) -> Browser:
    """The page of the second photograph of ``work``, which has seven marks; the first in doubt is mark 3."""
    write_page("out")
    browser.open(work / "out" / "review" / "index.html")
    browser.wait(READY)
    browser.press("]")
    browser.wait("return document.querySelectorAll('.row').length === 7")
    return browser


def listed(browser: Browser) -> list[int]:
    return [int(mark) for mark in browser.run("return [...document.querySelectorAll('.row')].map(r => r.dataset.mark)")]


def selected(browser: Browser) -> int:
    return int(browser.run("return document.querySelector('.row[aria-selected=true]')?.dataset.mark ?? -1"))


def scale(browser: Browser) -> int:
    """Percent, once the picture is drawn."""
    browser.call("POST", "/execute/async", {"script": "requestAnimationFrame(() => arguments[0]())", "args": []})
    return int(browser.text("#scale").split()[0])


def picture(browser: Browser) -> str:
    """All that is seen, once the photograph is drawn."""
    scale(browser)
    return str(browser.call("GET", "/screenshot"))


def saved(browser: Browser) -> Path:
    """The file of decisions that the page lets people save."""
    before = set(browser.downloads.glob("*.json"))
    browser.press("s")
    browser.wait("return document.getElementById('status').innerText.startsWith('Saved')")
    for _ in range(500):
        if new := set(browser.downloads.glob("*.json")) - before:
            return new.pop()
        browser.wait("return true")
    raise AssertionError("nothing was saved")


def test_keys_and_buttons_decide_and_the_saved_file_is_merged(work: Path, page: Browser) -> None:
    assert listed(page) == [3, 0, 1, 2, 4, 5, 6]
    assert page.text("#mark") == "No mark is chosen. Press n, or click on one."
    page.press("n")
    assert (selected(page), "HE" in page.text("#mark"), "MA" in page.text("#mark")) == (3, False, True)
    page.press("d")
    assert selected(page) == 0
    page.press("a", "r")
    page.click("#accept")
    page.press("n")
    page.click("#reject")
    assert selected(page) == 6
    page.click("#drawing")
    assert page.text("#decided") == "6 of 10 decided"
    page.press("p")
    assert selected(page) == 5
    page.click("#undo")
    assert page.text("#decided") == "5 of 10 decided"
    file = saved(page)
    [one] = json.loads(file.read_text())["photographs"]
    made = {each["mark"]: each["decision"] for each in one["decisions"]}
    assert made == {0: "accept", 1: "reject", 2: "accept", 3: "drawing", 6: "drawing"}
    assert one["record"] == "left/a.json"
    assert file.name == "decisions.json"
    assert command_line.run(main, "apply-review", "out", file, "--to", "cvat").exit_code == 0
    for lesion in ("MA", "HE"):
        expected = np.zeros(SIZE[::-1], bool)
        for mark in mark_masks(DRAWN, lesion, read_mask(f"out/left/a_{lesion}.png")):
            decision = made.get(mark.place)
            if decision == "drawing":
                expected |= draw([DRAWN.marks[mark.place].shape], SIZE[::-1])
            elif decision != "reject" and mark.mask is not None:
                expected |= draw([mark.mask], SIZE[::-1])
        assert_same(read_mask(f"out/reviewed/left/a_{lesion}.png"), expected)


def assert_same(one: Mask, other: Mask) -> None:
    assert np.array_equal(one, other)


def test_decisions_stay_when_the_page_is_opened_again_and_a_file_brings_them_back(work: Path, page: Browser) -> None:
    page.press("n", "a", "r")
    file = saved(page)
    index = work / "out" / "review" / "index.html"
    page.open(index)
    page.wait(READY)
    assert page.text("#decided") == "2 of 10 decided"
    page.run("localStorage.clear()")
    page.open(index)
    page.wait(READY)
    assert page.text("#decided") == "0 of 10 decided"
    page.give("#file", file)
    page.wait("return document.getElementById('status').innerText === 'Loaded 2 decisions.'")
    assert page.text("#decided") == "2 of 10 decided"
    (work / "other.json").write_text(file.read_text().replace('"mark": 0', '"mark": 99'))
    page.give("#file", work / "other.json")
    page.wait("return document.getElementById('status').innerText.includes('has no mark 99')")
    (work / "damaged.json").write_text("[")
    page.give("#file", work / "damaged.json")
    page.wait("return document.getElementById('status').innerText.includes('is not JSON')")
    (work / "results.json").write_text(re.sub('"drawing_sha256": "[^"]*"', '"drawing_sha256": "0"', file.read_text()))
    page.give("#file", work / "results.json")
    page.wait("return document.getElementById('status').innerText.includes('are of other results')")
    assert page.text("#decided") == "2 of 10 decided"


def test_undo_takes_back_the_last_decision_and_goes_back_to_its_mark(page: Browser) -> None:
    page.press("n", "a", "r", "u")
    assert (selected(page), page.text("#decided")) == (0, "1 of 10 decided")
    page.press("u")
    assert (selected(page), page.text("#decided")) == (3, "0 of 10 decided")
    page.press("u")
    assert page.text("#status") == "There is no decision to take back."
    page.click("#advance")
    page.press("a", "a", "d")
    assert (selected(page), page.text("#decided")) == (3, "1 of 10 decided")
    assert page.run("return document.getElementById('drawing').getAttribute('aria-pressed')") == "true"


def test_marks_are_filtered_by_class_and_by_decision(page: Browser) -> None:
    page.press("n", "a", "r")
    page.click("#class-HE")
    assert listed(page) == [3, 0, 1, 5]
    page.click("#state-undecided")
    assert listed(page) == [1, 5]
    page.press("a")
    assert (listed(page), selected(page)) == ([5], 5)
    page.click("#state-reject")
    assert listed(page) == [0]
    page.click("#state-drawing")
    assert "No mark of these classes" in page.text("#marks")
    page.click("#state-accept")
    assert listed(page) == [3, 1]
    page.click("#class-HE")
    page.click("#state-all")
    assert len(listed(page)) == 7


def test_the_photograph_zooms_and_moves_and_a_click_chooses_a_mark(page: Browser) -> None:
    whole = scale(page)
    page.press("+")
    assert scale(page) > whole
    page.press("-")
    assert scale(page) == whole
    page.click("#closer")
    page.wheel((400, 300), -200)
    near = scale(page)
    assert near > 1.6 * whole
    page.wheel((400, 300), 100)
    page.click("#farther")
    assert whole < scale(page) < near
    before = picture(page)
    page.drag((400, 300), (330, 250))
    page.press("left", "up")
    assert picture(page) != before
    page.click("#whole")
    assert scale(page) == whole
    assert selected(page) == -1
    place = page.run(
        "const box = document.getElementById('canvas').getBoundingClientRect(); const scale = arguments[0];"
        "return [box.x + box.width / 2 + (100 - 80) * scale, box.y + box.height / 2 + (80 - 60) * scale]",
        whole / 100,
    )
    page.drag((round(place[0]), round(place[1])), (round(place[0]), round(place[1])))
    assert selected(page) == 2
    assert scale(page) > whole
    shown = picture(page)
    page.press("h")
    assert picture(page) != shown
    assert page.run("return document.getElementById('outlines').getAttribute('aria-pressed')") == "false"


def test_keys_go_on_to_the_next_photograph_and_move_in_the_list(page: Browser) -> None:
    page.press("[")
    page.wait("return document.querySelectorAll('.row').length === 3")
    page.press("n", "n", "n")
    assert selected(page) == 2
    page.press("n")
    page.wait("return document.querySelectorAll('.row').length === 7")
    page.wait("return document.querySelector('.row[aria-selected=true]')?.dataset.mark === '3'")
    page.run("document.getElementById('marks').focus()")
    page.press("down", "down", "up")
    assert selected(page) == 0
    for _ in range(6):
        page.press("n")
    page.wait("return document.getElementById('status').innerText === 'This was the last mark.'")
    page.click(".row[data-mark='1']")
    assert selected(page) == 1


@pytest.mark.parametrize("width", [1000, 1600])
def test_the_page_fits_has_help_and_names_everything(work: Path, tmp_path: Path, width: int) -> None:
    write_page("out")
    with browsing(tmp_path / "browser", (width, 760)) as page:
        page.open(work / "out" / "review" / "index.html")
        page.wait(READY)
        assert page.run("return [document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [
            width,
            760,
        ]
        nameless = page.run(
            "return [...document.querySelectorAll('button, input, canvas, [role], progress, dialog')].filter(e =>"
            " !(e.innerText?.trim() || e.getAttribute('aria-label') || e.getAttribute('aria-labelledby') ||"
            " e.labels?.length || ['presentation', 'status'].includes(e.role || e.getAttribute('role')) ||"
            " e.id === 'wait')).map(e => e.outerHTML)"
        )
        assert [one for one in nameless if "dialog" not in one and "Close" not in one] == []
        page.press("?")
        assert page.run("return document.getElementById('keys').open")
        page.press("a", "escape")
        assert not page.run("return document.getElementById('keys').open")
        page.press("tab")
        assert page.run("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
        backs = []
        for dark in (False, True):
            page.scheme(dark)
            backs.append(page.run("return getComputedStyle(document.body).backgroundColor"))
        assert backs[0] != backs[1]
        assert page.log() == []


def test_many_photographs_open_soon_and_keys_are_answered_at_once(tmp_path: Path, browser: Browser) -> None:
    """Leniently, for a machine under load; ``tests/benchmarks/review_page.py`` prints the figures."""
    write_many(tmp_path / "out", photographs=50, marks=100)
    assert write_page(tmp_path / "out").marks == 5000
    browser.open(tmp_path / "out" / "review" / "index.html")
    browser.wait(READY)
    assert browser.run(OPENED) < 20_000
    assert browser.text("#decided") == "0 of 5000 decided"
    assert len(browser.run("return [...document.querySelectorAll('.row')]")) < 40
    loaded = [url for url in browser.requested() if "photographs/" in url]
    assert {url.rsplit("/", 2)[1] for url in loaded} == {"0001"}
    browser.run(OBSERVE)
    for count, key in enumerate("n" + "ardn" * 4, start=1):
        browser.press(key)
        browser.wait("return window.answered.length === arguments[0]", count)
    assert np.median(browser.run("return window.answered")) < 1000
