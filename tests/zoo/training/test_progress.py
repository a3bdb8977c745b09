"""What a running training shows, and its TensorBoard log."""

import sys
from io import StringIO

import pytest
from rich.console import Console

from coarsekit.errors import ParameterError
from zoo.training.progress import Progress, View
from zoo.training.tensorboard import event_log


def line(epoch: int, iou: float = 50.0) -> dict:
    validation = {"paper": {"MA": 61.25, "HE": 70.0}, "human": {"MA": 31.0}}
    head = {"epoch": epoch, "loss": 0.5 / epoch, "learning_rate": 1e-4, "validation_iou": iou, "threshold": 0.4}
    head["validation_floor"] = 20.0
    return {**head, "validation": validation, "seconds": 10.0}


def shown(view: View) -> str:
    console = Console(file=StringIO(), width=120, force_terminal=True, color_system=None)
    console.print(view)
    return console.file.getvalue()


def test_the_view_shows_losses_scores_by_class_speed_and_time_left() -> None:
    now = 0.0
    said: list[str] = []
    view = View(said.append, lambda: now)
    assert "being prepared" in shown(view)
    for epoch in (1, 2):
        for done in (64, 128):
            now += 5
            view.report(Progress(epoch, 4, done, 128, loss=0.25))
        if epoch == 1:
            view.log(line(1))
    assert view.speed == pytest.approx(64 / 5)
    assert view.left == pytest.approx(20)
    text = shown(view)
    for part in (
        "epoch 2 of 4",
        "loss 0.2500",
        "12.8 samples/s",
        "0:00:20 left",
        "best 50.0 %",
        "floor 20.0 %",
        "MA",
        "61.2",
        "31.0",
    ):
        assert part in text, text
    assert said == [
        "epoch 1: loss 0.5000, validation IoU 50.0 % (floor 20.0 %; paper MA 61.2, HE 70.0; human MA 31.0), 10 s"
    ]


def test_time_left_of_a_resumed_training_counts_from_where_it_went_on() -> None:
    now = 0.0
    view = View(clock=lambda: now)
    now = 6.0
    view.report(Progress(11, 20, 64, 128, loss=0.1))
    assert view.left == pytest.approx(6 * 19)


@pytest.mark.filterwarnings("ignore")  # of what tensorboard imports
def test_the_tensorboard_log_holds_the_history_also_of_a_resumed_training(tmp_path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with event_log(tmp_path) as write:
        for epoch in (1, 2, 3):  # the third was not saved: it is done again
            write(line(epoch, iou=40.0 + epoch))
    with event_log(tmp_path) as write:
        for epoch in (3, 4):
            write(line(epoch, iou=60.0 + epoch))
    log = EventAccumulator(str(tmp_path)).Reload()
    assert [(event.step, event.value) for event in log.Scalars("validation_iou")] == [
        (1, 41),
        (2, 42),
        (3, 63),
        (4, 64),
    ]
    assert log.Scalars("validation/human/MA")[0].value == 31
    assert {"loss", "learning_rate", "validation/paper/HE"} <= set(log.Tags()["scalars"])


def test_missing_tensorboard_is_said_in_a_sentence(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ParameterError, match="pip install tensorboard"), event_log(tmp_path):
        pass
