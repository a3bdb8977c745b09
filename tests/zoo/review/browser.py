"""A headless Chromium that is told what to do by the WebDriver protocol: HTTP and JSON to chromedriver."""

import json
import shutil
import subprocess
import time
from base64 import b64decode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
MISSING = "" if CHROMIUM and DRIVER else "chromium or chromedriver is not installed"
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
_FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
    *("--force-device-scale-factor=1", "--no-proxy-server"),
)
SPECIAL = {"left": "\ue012", "up": "\ue013", "right": "\ue014", "down": "\ue015", "escape": "\ue00c", "tab": "\ue004"}


class Browser:
    """One window. ``downloads``: the folder that gets what pages let people save."""

    def __init__(self, port: int, folder: Path, size: tuple[int, int], dark: bool) -> None:
        self.downloads = folder / "downloads"
        self.downloads.mkdir(parents=True)
        self._connection, self._base = HTTPConnection("127.0.0.1", port, timeout=120), "/session"
        flags = [*_FLAGS, f"--user-data-dir={folder / 'profile'}", f"--window-size={size[0]},{size[1]}"]
        chrome = {"binary": CHROMIUM, "args": flags}
        logs = {"browser": "ALL", "performance": "ALL"}
        asked = {"browserName": "chrome", "goog:chromeOptions": chrome, "goog:loggingPrefs": logs}
        made = self.call("POST", "", {"capabilities": {"alwaysMatch": asked}})
        self._base = f"/session/{made['sessionId']}"
        self.devtools("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(self.downloads))
        self.devtools(
            "Emulation.setDeviceMetricsOverride", width=size[0], height=size[1], deviceScaleFactor=1, mobile=False
        )
        self.scheme(dark)
        self.call("POST", "/url", {"url": "about:blank"})
        self.log()
        self.requested()  # of the browser's own first page

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """The value that the driver answers; `AssertionError` where it answers with an error."""
        text = None if method != "POST" else json.dumps(body or {})
        self._connection.request(method, self._base + path, text, {"Content-Type": "application/json"})
        response = self._connection.getresponse()
        value = json.loads(response.read())["value"]
        assert response.status == 200, f"{method} {path}: {value['message'] if value else response.status}"
        return value

    def close(self) -> None:
        self.call("DELETE", "")
        self._connection.close()

    def devtools(self, command: str, **options: Any) -> Any:
        return self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": options})

    def scheme(self, dark: bool) -> None:
        """Say that the person prefers dark or light colours."""
        value = "dark" if dark else "light"
        self.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": value}])

    def open(self, page: Path) -> None:
        self.call("POST", "/url", {"url": page.resolve().as_uri()})

    def run(self, script: str, *arguments: Any) -> Any:
        """What a function body returns in the page."""
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def text(self, css: str) -> str:
        return str(self.run("return document.querySelector(arguments[0]).innerText", css))

    def wait(self, script: str, *arguments: Any, seconds: float = 30) -> Any:
        """The first value of a script that is true; `AssertionError` where there is none in time."""
        end = time.monotonic() + seconds
        while not (value := self.run(script, *arguments)):
            assert time.monotonic() < end, f"never true: {script}"
            time.sleep(0.02)
        return value

    def find(self, css: str) -> str:
        return str(self.call("POST", "/element", {"using": "css selector", "value": css})[_ELEMENT])

    def click(self, css: str) -> None:
        """Click the middle of an element, as a mouse does: it must be seen, and nothing may cover it."""
        self.call("POST", f"/element/{self.find(css)}/click")

    def give(self, css: str, path: Path) -> None:
        """Choose a file in a file input."""
        self.call("POST", f"/element/{self.find(css)}/value", {"text": str(path)})

    def press(self, *keys: str) -> None:
        """Press and release keys, one after another, wherever the focus is."""
        strokes = [SPECIAL.get(key, key) for key in keys]
        actions = [{"type": kind, "value": key} for key in strokes for kind in ("keyDown", "keyUp")]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Press the mouse at one place of the window, and release it at another."""
        actions: list[dict[str, Any]] = [
            {"type": "pointerMove", "x": start[0], "y": start[1], "duration": 0},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerMove", "x": end[0], "y": end[1], "duration": 20},
            {"type": "pointerUp", "button": 0},
        ]
        mouse = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": actions}
        self.call("POST", "/actions", {"actions": [mouse]})

    def wheel(self, place: tuple[int, int], by: int) -> None:
        turn = {"type": "scroll", "x": place[0], "y": place[1], "deltaX": 0, "deltaY": by, "duration": 0}
        self.call("POST", "/actions", {"actions": [{"type": "wheel", "id": "wheel", "actions": [turn]}]})

    def screenshot(self, path: Path) -> None:
        path.write_bytes(b64decode(self.call("GET", "/screenshot")))

    def log(self) -> list[str]:
        """What the page wrote to the console since the last call, errors included."""
        return [f"{one['level']}: {one['message']}" for one in self.call("POST", "/se/log", {"type": "browser"})]

    def requested(self) -> list[str]:
        """The addresses that pages asked for since the last call."""
        messages = [
            json.loads(one["message"])["message"] for one in self.call("POST", "/se/log", {"type": "performance"})
        ]
        return [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]


@contextmanager
def browsing(folder: Path, size: tuple[int, int] = (1600, 1000), dark: bool = False) -> Iterator[Browser]:
    """A browser whose profile and downloads lie in a folder that is empty before; it is ended with the block."""
    assert DRIVER is not None
    driver = subprocess.Popen(
        [DRIVER, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8"
    )
    assert driver.stdout is not None
    try:
        port = _port(driver.stdout)
        browser = Browser(port, folder, size, dark)
        try:
            yield browser
        finally:
            browser.close()
    finally:
        driver.terminate()
        driver.wait(30)
        driver.stdout.close()


def _port(lines: Any) -> int:
    for line in lines:
        if "started successfully on port" in line:
            return int(line.rstrip().rstrip(".").rpartition(" ")[2])
    raise AssertionError("chromedriver did not start")


def hosts(addresses: Sequence[str]) -> set[str]:
    """The schemes and hosts of addresses; files and data have none."""
    return {address.split("/")[2] for address in addresses if address.startswith(("http:", "https:", "ws:", "wss:"))}
