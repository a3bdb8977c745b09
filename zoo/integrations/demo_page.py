"""The page of the demo, made with Gradio, which is imported only when the page is shown."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from socket import create_server
from tempfile import TemporaryDirectory
from typing import Any

from coarsekit.errors import CoarsekitError, ParameterError
from zoo.integrations.demo import CLASSES, NAME, drawing_of, painted, refine_drawing
from zoo.refiner import Refiner

_TITLE = "Draw around lesions, get masks"
_ABOUT = f"""# {_TITLE}
Drop a fundus photograph. With the brush, draw a line around each lesion, or click on it, or draw a line along it; then
press **Refine**. One class at a time. For research, not for diagnosis."""
_HEAD = ("mark", "class", "drawn as", "found", "pixels", "expected IoU")
_BRUSH = 6
"""Radius of the brush, px of the photograph: thin enough to draw around a microaneurysm."""

_HEIGHT = 640
"""Of the editor, px of the screen."""
_KEPT = (600, 3600)
"""Every how many seconds Gradio's copies of photographs and masks are deleted that are older than so many."""


def page(refiner: Refiner) -> Any:
    """The page, as Gradio's Blocks.

    Args:
        refiner: What refines.

    Returns:
        Blocks that report nothing to anybody and ask no other server for anything.

    Raises:
        ParameterError: When Gradio is not installed.
    """
    gradio = gradio_module()
    with gradio.Blocks(title=_TITLE, analytics_enabled=False, delete_cache=_KEPT) as blocks:
        gradio.Markdown(_ABOUT)
        lesion = gradio.Dropdown(
            [(f"{name}: {meaning}", name) for name, meaning in CLASSES.items()],
            value=next(iter(CLASSES)),
            allow_custom_value=True,
            label="Class; any other name may be typed",
            elem_id="lesion",
        )
        editor = gradio.ImageEditor(
            type="numpy",
            image_mode="RGBA",
            format="png",
            sources=("upload", "clipboard"),
            transforms=(),
            brush=gradio.Brush(default_size=_BRUSH, colors=["#00ffff", "#ffffff"], color_mode="fixed"),
            layers=False,
            height=_HEIGHT,
            label="Photograph and drawing",
            elem_id="editor",
        )
        button = gradio.Button("Refine", variant="primary", elem_id="refine")
        picture = gradio.Image(label="Masks", format="png", interactive=False, elem_id="masks")
        table = gradio.Dataframe(headers=list(_HEAD), label="Marks", interactive=False, elem_id="marks")
        archive = gradio.File(label="Masks, table and drawing as a ZIP", elem_id="archive")
        button.click(_answer(refiner, gradio), [editor, lesion], [picture, table, archive], api_name="refine")
    return blocks


def launch(refiner: Refiner, host: str = "127.0.0.1", port: int = 7860, wait: bool = True) -> tuple[Any, str]:
    """Show the page.

    Args:
        refiner: What refines.
        host: The address to listen at.
        port: 0 for any that is free.
        wait: Whether to return only when the page is closed.

    Returns:
        Gradio's Blocks, whose ``close`` ends the server, and the page's address.

    Raises:
        ParameterError: When Gradio is not installed, or the port is taken.
    """
    gradio = gradio_module()
    blocks = page(refiner)
    try:
        _, address, _ = blocks.queue(default_concurrency_limit=1).launch(
            server_name=host,
            server_port=port or _free_port(host),
            share=False,
            quiet=True,
            footer_links=[],
            prevent_thread_lock=not wait,
            theme=gradio.themes.Base(font=["system-ui", "sans-serif"], font_mono=["monospace"]),
        )
    except OSError:
        raise ParameterError(f"cannot listen at {host}:{port}; give another port=… or host=…") from None
    return blocks, str(address)


def gradio_module() -> Any:
    """Gradio itself, without its reports.

    Raises `ParameterError` when it is not installed.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    try:
        import gradio
    except ImportError:
        raise ParameterError("Gradio is not installed; install it with 'pip install coarsekit[demo]'") from None
    return gradio


def _free_port(host: str) -> int:
    with create_server((host, 0)) as free:
        return int(free.getsockname()[1])


def _answer(refiner: Refiner, gradio: Any) -> Callable[[Mapping[str, Any] | None, str | None], tuple[Any, ...]]:
    """What the button does: the picture, the rows of the table, and the file of the archive."""
    folder = TemporaryDirectory(prefix="coarsekit-demo-")

    def answer(value: Mapping[str, Any] | None, lesion: str | None) -> tuple[Any, ...]:
        try:
            image, layers = painted(value)
            name = lesion if isinstance(lesion, str) else ""  # Gradio's interface for programs takes anything
            done = refine_drawing(refiner, image, drawing_of(image, layers, name))
        except CoarsekitError as error:
            raise gradio.Error(str(error), print_exception=False) from None
        for sentence in done.notes:
            gradio.Warning(sentence)
        file = Path(folder.name) / f"{NAME}_masks.zip"  # Gradio copies it before the next answer
        file.write_bytes(done.archive)
        names = ("mark", "lesion", "drawn_as", "found", "refined_pixels", "expected_iou")
        return done.picture, [[row[name] for name in names] for row in done.rows], str(file)

    return answer
