"""Programs end with one message: after Ctrl-C, without data, when training explodes; a bug keeps its traceback."""

import argparse
from pathlib import Path

import pytest

from mazegrad import nn, script

EXAMPLES = Path(__file__).parent.parent / "examples"


def raising(error):
    def main():
        raise error

    return main


def test_ctrl_c(capsys):
    with pytest.raises(SystemExit) as end:
        script.start(raising(KeyboardInterrupt()))
    assert end.value.code == 130
    assert capsys.readouterr().err == "\nstopped\n"


@pytest.mark.parametrize("error", [nn.data.DataNotFound("no such file"), nn.NonFiniteGradient("weight", 3, "NaN")])
def test_what_a_user_can_cure(error):
    with pytest.raises(SystemExit) as end:
        script.start(raising(error))
    assert end.value.code == str(error)


def test_a_bug_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        script.start(raising(ZeroDivisionError()))
    with pytest.raises(SystemExit, match="told"):
        script.start(raising(LookupError("told")), LookupError)


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "x", ""])
def test_a_count_is_a_whole_number_from_1_on(text):
    assert script.count("12") == 12
    with pytest.raises(argparse.ArgumentTypeError, match="no whole number from 1 on"):
        script.count(text)


@pytest.mark.parametrize(
    "name", ["gradient_remedies", "gradients_through_time", "long_memory", "memory_horizon", "mnist_cnn"]
)
def test_programs_that_take_long_start_so(name):
    assert (EXAMPLES / f"{name}.py").read_text(encoding="utf-8").endswith("    start(main)\n")
