"""A hundred made-up submissions, right, subtly wrong and hostile, are marked right; a hostile one ends in its row."""

# ruff: noqa: E501  (a made-up submission is one line)

import csv
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mazegrad.agents import EXCHANGE
from mazegrad.check import mark, submissions
from mazegrad.cli import main
from mazegrad.marking.sandbox import Job, Limits, run
from mazegrad.nn.analysis import power_gradient

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="submitted files are run on Linux")
QUICK = Limits(seconds=1, memory=256)

# ------------------------------------------------------------------------------- exercise 41: a right one, piece by piece
HEAD = "import numpy as np\n"
FORWARD = """
def h_conv2d(image, kernel):
    height, width = image.shape[2] - kernel.shape[2] + 1, image.shape[3] - kernel.shape[3] + 1
    out = np.zeros((len(image), len(kernel), height, width))
    for i in range(kernel.shape[2]):
        for j in range(kernel.shape[3]):
            out += np.einsum("bchw,oc->bohw", image[:, :, i : i + height, j : j + width], kernel[:, :, i, j])
    return out
"""
BACKWARD = """
def h_conv2d_grad(image, kernel, grad):
    rows, columns = kernel.shape[2] - 1, kernel.shape[3] - 1
    padded = np.pad(grad, [(0, 0), (0, 0), (rows, rows), (columns, columns)])
    grad_image = h_conv2d(padded, kernel[:, :, ::-1, ::-1].swapaxes(0, 1))
    grad_kernel = h_conv2d(image.swapaxes(0, 1), grad.swapaxes(0, 1)).swapaxes(0, 1)
    return grad_image, grad_kernel
"""
LAYER = """
class Conv2D:
    def __init__(self, channels, out_channels, size):
        self.weight = 0.1 * np.random.default_rng(0).normal(size=(out_channels, channels, size, size))
        self.bias = np.zeros(out_channels)

    def forward(self, image):
        self.image = image
        return h_conv2d(image, self.weight) + self.bias[:, None, None]

    def backward(self, grad):
        grad_image, self.weight_grad = h_conv2d_grad(self.image, self.weight, grad)
        self.bias_grad = grad.sum((0, 2, 3))
        return grad_image
"""
GOOD = HEAD + FORWARD + BACKWARD + LAYER

FOUR_LOOPS = """
def h_conv2d(x, k):
    out = np.empty((x.shape[0], k.shape[0], x.shape[2] - k.shape[2] + 1, x.shape[3] - k.shape[3] + 1))
    for b, o, y, z in np.ndindex(*out.shape):
        out[b, o, y, z] = (x[b, :, y : y + k.shape[2], z : z + k.shape[3]] * k[o]).sum()
    return out
"""
WINDOWS = """
from numpy.lib.stride_tricks import sliding_window_view
def h_conv2d(x, k):
    return np.einsum("bchwij,ocij->bohw", sliding_window_view(x, k.shape[2:], axis=(2, 3)), k)
"""
IM2COL = """
def h_conv2d(x, k):
    b, c, h, w = x.shape
    o, _, m, n = k.shape
    columns = np.stack([x[:, :, i : h - m + 1 + i, j : w - n + 1 + j] for i in range(m) for j in range(n)], 2)
    return np.tensordot(k.reshape(o, -1), columns.reshape(b, c * m * n, -1), (1, 1)).swapaxes(0, 1).reshape(
        b, o, h - m + 1, w - n + 1)
"""
SCATTER = """
def h_conv2d_grad(x, k, g):
    gx, gk = np.zeros_like(x), np.zeros_like(k)
    for y in range(g.shape[2]):
        for z in range(g.shape[3]):
            window = (slice(None), slice(None), slice(y, y + k.shape[2]), slice(z, z + k.shape[3]))
            gx[window] += np.einsum("bo,ocij->bcij", g[:, :, y, z], k)
            gk += np.einsum("bo,bcij->ocij", g[:, :, y, z], x[window])
    return gx, gk
"""
LIST_RETURNED = BACKWARD.replace("return grad_image, grad_kernel", "return [grad_image, grad_kernel]")
NETS = """
from mazegrad.nn import Module, Parameter, Tensor
from mazegrad.nn.rules import Operand, operation
@operation
def conv2d(image: Operand, kernel: Operand):
    return h_conv2d(image, kernel), lambda grad, needs: h_conv2d_grad(image, kernel, grad)
class Conv2D(Module):
    def __init__(self, channels, out_channels, size):
        self.weight = Parameter(np.zeros((out_channels, channels, size, size), np.float32))
        self.bias = Parameter(np.zeros((out_channels, 1, 1), np.float32))
    def forward(self, image):
        return conv2d(image, self.weight) + self.bias
"""
OWN_TENSOR = """
class Tensor:
    def __init__(self, data, parents=()):
        self.data, self.parents, self.grad = np.asarray(data, float), parents, None
    def __mul__(self, other):
        return Tensor(self.data * other.data, [(self, lambda g: g * other.data)])
    def sum(self):
        return Tensor(self.data.sum(), [(self, lambda g: g * np.ones_like(self.data))])
    def backward(self, grad=1.0):
        self.grad = grad if self.grad is None else self.grad + grad
        for parent, back in self.parents:
            parent.backward(back(grad))
class Conv2D:
    def __init__(self, channels, out_channels, size):
        self.weight = Tensor(np.zeros((out_channels, channels, size, size)))
        self.bias = Tensor(np.zeros(out_channels))
    def __call__(self, x):
        out = h_conv2d(x.data, self.weight.data) + self.bias.data[:, None, None]
        both = lambda g: h_conv2d_grad(x.data, self.weight.data, g)
        return Tensor(out, [(x, lambda g: both(g)[0]), (self.weight, lambda g: both(g)[1]),
                            (self.bias, lambda g: g.sum((0, 2, 3)))])
"""
CALLED = LAYER.replace("def forward", "def __call__")
WRAPPED = "import numpy as np, math, functools, itertools, dataclasses, typing\n" + FORWARD + BACKWARD + LAYER


def changed(old: str, new: str, text: str = GOOD) -> str:
    assert old in text, old
    return text.replace(old, new)


RIGHT_41 = {
    "loops": GOOD,
    "four_loops": HEAD + FOUR_LOOPS + BACKWARD + LAYER,
    "windows": HEAD + WINDOWS + BACKWARD + LAYER,
    "im2col": HEAD + IM2COL + BACKWARD + LAYER,
    "scatter": HEAD + FORWARD + SCATTER + LAYER,
    "windows_scatter": HEAD + WINDOWS + SCATTER + CALLED,
    "list_of_two": HEAD + FORWARD + LIST_RETURNED + LAYER,
    "called_layer": HEAD + FORWARD + BACKWARD + CALLED,
    "tensors_of_nn": HEAD + IM2COL + SCATTER + NETS,
    "own_tensors": HEAD + FORWARD + SCATTER + OWN_TENSOR,
    "standard_library": WRAPPED,
    "prints": changed(HEAD, HEAD + "print('hello')\n"),
    "bias_as_a_column": changed("np.zeros(out_channels)", "np.zeros((out_channels, 1, 1))").replace(
        "self.bias[:, None, None]", "self.bias"
    ),
    "test_at_the_end": GOOD + "\nif __name__ == '__main__':\n    1 / 0\n",
    "unicode": "# Übung 41\n" + GOOD,
    "writes_in_its_folder": changed(HEAD, HEAD + "open('log.txt', 'w').write('x')\n"),
}

# ------------------------------------------- subtly wrong ones: source, points of 20, what the comment of a check must say
WRONG_41: dict[str, tuple[str, int, str]] = {
    "flipped_kernel": (changed("kernel[:, :, i, j])\n", "kernel[:, :, -1 - i, -1 - j])\n"), 1, "kernel read backwards"),
    "off_by_one_shape": (changed("- kernel.shape[2] + 1,", "- kernel.shape[2],"), 1, r"shape \(1, 1, 2, 3\); expected \(1, 1, 3, 3\)"),
    "transposed_kernel": (changed("kernel[:, :, i, j])\n    return", "kernel[:, :, j, i])\n    return").replace(
        "for i in range(kernel.shape[2]):\n        for j in range(kernel.shape[3])",
        "for i in range(kernel.shape[2]):\n        for j in range(kernel.shape[3])"), 0, "transposed kernel|index 3 is out"),
    "wrong_sign": (changed("    return out\n", "    return -out\n"), 1, "sign turned"),
    "first_channel": (changed('"bchw,oc->bohw", image[:, :, i', '"bchw,oc->bohw", image[:, :1, i').replace(
        "kernel[:, :, i, j])\n", "kernel[:, :1, i, j])\n"), 7, "first channel only"),
    "mean_over_channels": (changed("    return out\n", "    return out / image.shape[1]\n"), 7, "mean over channels"),
    "misses_last_row": (changed("range(kernel.shape[2])", "range(kernel.shape[2] - 1)").replace(
        "range(kernel.shape[3])", "range(kernel.shape[3] - 1)"), 1, "last row and column of the kernel"),
    "first_image_only": (changed('"bchw,oc->bohw", image', '"bchw,oc->bohw", image[:1]'), 7, "values differ"),
    "padded": (changed("def h_conv2d(image, kernel):", "def h_conv2d(image, kernel):\n    image = np.pad(image, [(0, 0), (0, 0), (1, 1), (1, 1)])"), 1, "has the shape"),
    "float32": (changed("    return out\n", "    return out.astype(np.float32)\n"), 18, "returned float32"),
    "integers": (changed("    return out\n", "    return out.astype(int)\n"), 1, "expected"),
    "truths": (changed("    return out\n", "    return out > 0\n"), 1, r"is 0 at \[0, 0, 0, 0\]; expected"),
    "a_list": (changed("    return out\n", "    return out.tolist()\n"), 2, "is a list"),
    "nothing": (changed("    return out\n", "    pass\n"), 0, "is a NoneType"),
    "writes_into_image": (changed("    out = np.zeros", "    image *= 1.5\n    out = np.zeros"), 1, "writes into its arguments"),
    "normalises_kernel": (changed("    return out\n", "    kernel *= 0\n    return out\n"), 16, "writes into its arguments"),
    "forward_missing": (HEAD + SCATTER + LAYER, 7, "h_conv2d is not defined"),
    "no_turn": (changed("kernel[:, :, ::-1, ::-1]", "kernel"), 16, "rotated by 180"),
    "no_batch_sum": (changed("h_conv2d(image.swapaxes(0, 1), grad.swapaxes(0, 1))", "h_conv2d(image[:1].swapaxes(0, 1), grad[:1].swapaxes(0, 1))"), 17, "first image only"),
    "batch_mean": (changed("    return grad_image, grad_kernel", "    return grad_image, grad_kernel / len(image)"), 17, "mean over the batch"),
    "gradient_sign": (changed("    return grad_image, grad_kernel", "    return grad_image, -grad_kernel"), 16, "sign turned"),
    "turned_kernel_gradient": (changed("    return grad_image, grad_kernel", "    return grad_image, grad_kernel[:, :, ::-1, ::-1]"), 16, "turned by 180"),
    "wrong_order": (changed("    return grad_image, grad_kernel", "    return grad_kernel, grad_image"), 11, "wrong order"),
    "one_gradient": (changed("    return grad_image, grad_kernel", "    return grad_kernel"), 10, "expected two|not enough|too many"),
    "gradient_writes": (changed("    rows, columns =", "    grad *= 2\n    rows, columns ="), 10, "writes into its arguments"),
    "gradient_missing": (HEAD + FORWARD + LAYER, 10, "h_conv2d_grad is not defined"),
    "no_bias": (changed(" + self.bias[:, None, None]", ""), 18, "without the bias"),
    "minus_bias": (changed(" + self.bias[:, None, None]", " - self.bias[:, None, None]"), 18, "bias subtracted"),
    "bias_mean": (changed("grad.sum((0, 2, 3))", "grad.mean((0, 2, 3))"), 19, "mean over all places"),
    "bias_of_one_image": (changed("grad.sum((0, 2, 3))", "grad[0].sum((1, 2))"), 19, "first image only"),
    "no_layer": (HEAD + FORWARD + BACKWARD, 15, "Conv2D is not defined"),
    "layer_without_backward": (changed("def backward", "def back"), 17, "the layer has no backward"),
    "layer_weight_shape": (changed("size=(out_channels, channels, size, size)", "size=(channels, size, size)"), 15, r"weight has the shape \(2, 3, 3\); expected \(4, 2, 3, 3\)"),
    "raises": (changed("    return out\n", "    return 1 / 0\n"), 0, r"ZeroDivisionError: division by zero \(line 9\)"),
    "syntax": (GOOD + "\ndef h(:\n", 0, "SyntaxError"),
    "imports_torch": (changed(HEAD, HEAD + "import torch\n"), 0, "torch is not allowed"),
    "imports_scipy": (changed(HEAD, HEAD + "from scipy.signal import correlate2d\n"), 0, "scipy is not allowed|scipy.signal is not allowed"),
    "the_librarys_own": ("from mazegrad.nn import Conv2D, h_conv2d, h_conv2d_grad\n", 0, "is not allowed|cannot import"),
    "the_librarys_files": ("from mazegrad.nn.convolution import h_conv2d, h_conv2d_grad\n", 0, "is not allowed"),
}  # fmt: skip

HARM = "FOLDER/../harm"
LOOP = "while True:\n    pass\n"
HOSTILE_41: dict[str, tuple[str, int, str]] = {
    "loops_at_import": (GOOD + LOOP, 0, "more than 1 s"),
    "loops_when_called": (changed("    return out\n", "    while True: pass\n"), 0, "more than 1 s"),
    "loops_in_the_layer": (changed("    def backward(self, grad):\n", "    def backward(self, grad):\n        while True: pass\n"), 17, "more than 1 s"),
    "catches_everything": (GOOD + "\nwhile True:\n    try:\n        while True: pass\n    except BaseException: pass\n", 0, "more than 1 s"),
    "ignores_signals": (GOOD + "\nimport signal\nfor n in range(1, 64):\n    try: signal.signal(n, signal.SIG_IGN)\n    except Exception: pass\n" + LOOP, 0, "more than 1 s"),
    "one_big_array": (changed(HEAD, HEAD + "waste = np.ones(10**9)\n"), 0, "MemoryError"),
    "a_growing_list": (changed(HEAD, HEAD + "waste = []\nwhile True:\n    waste.append(bytearray(10**7))\n"), 0, "MemoryError"),
    "a_power": (changed(HEAD, HEAD + "waste = 'x' * 2**40\n"), 0, "MemoryError"),
    "returns_too_much": (changed("    return out\n", "    return np.zeros((1, 1, 4000, 4000))\n"), 0, r"array of shape \(1, 1, 4000, 4000\)"),
    "recursion": (changed("    return out\n", "    return h_conv2d(image, kernel)\n"), 0, "RecursionError"),
    "forks": (changed(HEAD, HEAD + "import os\nwhile True:\n    os.fork()\n"), 0, "not allowed|not permitted|unavailable"),
    "forks_below_the_hook": (changed(HEAD, HEAD + "import _posixsubprocess\n_posixsubprocess.fork_exec([b'sleep', b'99'], [b'/bin/sleep'], True, (9,), None, None, -1, -1, -1, -1, -1, -1, 8, 9, True, True, 0, None, None, None, -1, None, False)\n"), 0, "not allowed|not permitted|unavailable"),
    "starts_programs": (changed(HEAD, HEAD + "import subprocess\nsubprocess.run(['sleep', '99'])\n"), 0, "not allowed|not permitted"),
    "a_shell": (changed(HEAD, HEAD + f"import os\nos.system('touch {HARM}')\n"), 0, "not allowed"),
    "threads": (changed(HEAD, HEAD + "import threading\nfor _ in range(10**5):\n    threading.Thread(target=lambda: None).start()\n"), 0, "can't start new thread"),
    "processes": (changed(HEAD, HEAD + "import multiprocessing\nmultiprocessing.Process(target=print).start()\n"), 0, "not allowed|not permitted|unavailable"),
    "writes_outside": (changed(HEAD, HEAD + f"open('{HARM}', 'w').write('x')\n"), 0, "Permission denied"),
    "writes_beside_its_task": (changed(HEAD, HEAD + "open('../task.json', 'w').write('{}')\n"), 0, "Permission denied"),
    "deletes_the_submission": (changed(HEAD, HEAD + "import os\nos.remove('../submission.py')\n"), 0, "Permission denied"),
    "fills_the_disk": (changed(HEAD, HEAD + "for n in range(10**6):\n    open(str(n), 'wb').write(bytes(2**24))\n"), 0, "MiB of files|more than 1 s"),
    "one_endless_file": (changed(HEAD, HEAD + "f = open('x', 'wb')\nwhile True:\n    f.write(bytes(2**20))\n"), 0, "too large"),
    "memory_files": (changed(HEAD, HEAD + "import os\nfiles = []\nwhile True:\n    files.append(os.memfd_create('x'))\n    os.write(files[-1], bytes(10**6))\n"), 0, "not permitted|not allowed"),
    "open_files": (changed(HEAD, HEAD + "import os\nfiles = []\nwhile True:\n    files.append(open('x', 'w'))\n    os.remove('x')\n"), 0, "Too many open files"),
    "truncates_others": (changed(HEAD, HEAD + "import os\nos.truncate('FOLDER/right_41_loops.py', 0)\n"), 0, "not permitted|Permission denied"),
    "makes_folders": (changed(HEAD, HEAD + "import os\nwhile True:\n    os.mkdir('x')\n    os.chdir('x')\n"), 0, "not permitted|Permission denied"),
    "reads_the_home": (changed(HEAD, HEAD + "open('/etc/passwd').read()\n"), 0, "Permission denied"),
    "reads_others": (changed(HEAD, HEAD + "open('FOLDER/right_41_loops.py').read()\n"), 0, "Permission denied"),
    "the_network": (changed(HEAD, HEAD + "import socket\nsocket.create_connection(('127.0.0.1', 9))\n"), 0, "not allowed|not permitted"),
    "exits": (changed(HEAD, HEAD + "import sys\nsys.exit(0)\n"), 0, "SystemExit"),
    "exits_at_once": (changed(HEAD, HEAD + "import os\nos._exit(0)\n"), 0, r"ended its own process \(exit code 0\)"),
    "exits_when_called": (changed("    return out\n", "    import os; os._exit(7)\n"), 0, r"ended its own process \(exit code 7\)"),
    "exits_in_the_layer": (changed("    def forward(self, image):\n", "    def forward(self, image):\n        import os; os._exit(0)\n"), 15, "ended its own process"),
    "kills_its_parent": (changed(HEAD, HEAD + "import os\nos.kill(os.getppid(), 9)\n"), 0, "not allowed|not permitted"),
    "crashes": (changed(HEAD, HEAD + "import os\nos.abort()\n"), 0, "SIGABRT|SIGILL|SIGSEGV"),
    "raises_the_limits": (changed(HEAD, HEAD + "import ctypes\nctypes.CDLL(None).setrlimit(0, b'x' * 16)\n"), 0, "not allowed"),
    "prints_megabytes": (changed(HEAD, HEAD + "for _ in range(20):\n    print('x' * 10**6)\n"), 20, ""),
    "numpy_agrees_always": ("import numpy as np\nnp.allclose = np.array_equal = np.isclose = lambda *a, **k: True\ndef h_conv2d(x, k): return np.zeros((1, 1, 3, 3))\n", 0, "expected"),
    "numpy_changed": (changed(HEAD, HEAD + "np.asarray = np.array = np.ndarray.tobytes = None\n", GOOD.replace("np.zeros", "np.full").replace("width))", "width), 0.0)")), 0, "cannot set|TypeError"),
    "looks_in_frames": ("import sys, gc\nimport numpy as np\ndef h_conv2d(x, k):\n    frame, found = sys._getframe(), []\n    while frame:\n        found += [v for v in frame.f_locals.values() if isinstance(v, np.ndarray)]\n        frame = frame.f_back\n    found += [v for v in gc.get_objects() if isinstance(v, np.ndarray)]\n    right = [v for v in found if v.shape == (x.shape[0], k.shape[0], x.shape[2] - k.shape[2] + 1, x.shape[3] - k.shape[3] + 1)]\n    return right[-1]\n", 0, "IndexError"),
    "reads_the_checkers_memory": (changed(HEAD, HEAD + "import os\nopen(f'/proc/{os.getppid()}/mem', 'rb').read(1)\n"), 0, "Permission denied"),
    "patches_the_runner": ("import sys\nchild = sys.modules['__main__']\nchild._said = child._packed = child._call = lambda *a: ([], b'')\ndef h_conv2d(x, k): return x\n", 0, "expected|returned"),
    "forges_results": ("import os, json, struct\ntext = json.dumps({'done': True, 'points': 20}).encode()\nfor fd in range(3, 64):\n    try: os.write(fd, struct.pack('II', len(text), 0) + text)\n    except OSError: pass\ndef h_conv2d(x, k): return x\n", 0, ""),
    "forges_garbage": ("import os\nfor fd in range(3, 64):\n    try: os.write(fd, b'\\xff' * 99)\n    except OSError: pass\ndef h_conv2d(x, k): return x\n", 0, ""),
    "colours": (changed("    return out\n", "    raise ValueError('\\x1b[2J\\x1b]0;title\\x07')\n"), 0, r"ValueError:  \[2J \]0;title"),
    "hostile_str": (changed("    return out\n", "    raise type('E', (Exception,), {'__str__': lambda self: 1 / 0})\n"), 0, r"E \(line"),
}  # fmt: skip

POWER = "import numpy as np\ndef power_gradient(u, h, k, error_gradient):\n    return k * u ** (k - 1) * h * error_gradient\n"
MARKED_39: dict[str, tuple[str, int, str]] = {
    "formula": (POWER, 10, ""),
    "loop": (POWER.replace("k * u ** (k - 1)", "k * np.prod([u] * (k - 1), axis=0)"), 10, ""),
    "exponent": (POWER.replace("(k - 1)", "k"), 0, "the exponent is k - 1"),
    "no_factor": (POWER.replace("k * u", "u"), 1, "without the factor k"),
    "no_h": (POWER.replace(" * h", ""), 5, "without h"),
    "sign": (POWER.replace("return k", "return -k"), 0, "sign turned"),
    "matrix": (POWER.replace("return ", "return np.diag(").replace("error_gradient\n", "error_gradient)\n"), 0, "returned a matrix"),
    "in_place": (POWER.replace("    return", "    h *= 1.0 * error_gradient\n    return").replace(" * h * error_gradient", " * h"), 9, "writes into its arguments"),
    "divides_by_u": (POWER.replace("u ** (k - 1)", "u ** k / u"), 8, "expected"),
}  # fmt: skip


def table(u: tuple[float, ...], formula: Callable = lambda u, k: k * u ** (k - 1)) -> np.ndarray:
    return np.array([formula(np.array(u), k) for k in range(1, 101)])


U_1, U_2 = (1.2, 2.0, 1.1), (0.8, 0.1, 0.9)
VALUES_39: dict[str, tuple[dict[str, np.ndarray], int, str]] = {
    "values": ({"U_1": table(U_1), "U_2": table(U_2)}, 10, ""),
    "values_exponent": ({"U_1": table(U_1), "U_2": table(U_2, lambda u, k: k * u**k)}, 5, "k u\\^k; the exponent"),
    "values_transposed": ({"U_1": table(U_1).T, "U_2": table(U_2)}, 5, "transposed"),
    "values_one_missing": ({"U_1": table(U_1)}, 5, "U_2 is missing"),
    "values_rounded": ({"U_1": table(U_1), "U_2": np.round(table(U_2), 8)}, 7, "at k ="),
}
I, ZERO = np.eye(4), np.zeros(4)
NETS_38: dict[str, tuple[dict[str, np.ndarray], int, str]] = {
    "net": ({"W": 2 * I, "U": (I - EXCHANGE) / 2, "b": ZERO}, 10, ""),
    "net_scaled": ({"W": 4 * I, "U": (I - EXCHANGE) / 2, "b": ZERO + 1}, 10, ""),
    "net_without_memory": ({"W": I, "U": 0 * I, "b": ZERO}, 0, "step 7, row 0, column 4"),
    "net_minus_j": ({"W": I, "U": -EXCHANGE, "b": ZERO}, 7, "fails at step 1"),
}


def write_all(folder: Path) -> dict[str, tuple[int, str]]:
    """Write the submissions, and return the points and the comment of each, by file."""
    wanted = {}
    sources = {f"right_41_{name}": (text, 20, "") for name, text in RIGHT_41.items()}
    sources |= {f"wrong_41_{name}": case for name, case in WRONG_41.items()}
    sources |= {f"hostile_41_{name}": case for name, case in HOSTILE_41.items()}
    sources |= {f"39_{name}": case for name, case in MARKED_39.items()}
    for name, (text, points, comment) in sources.items():
        (folder / f"{name}.py").write_text(text.replace("FOLDER", str(folder)), encoding="utf-8")
        wanted[f"{name}.py"] = (points, comment)
    for name, (arrays, points, comment) in (VALUES_39 | NETS_38).items():
        np.savez(folder / f"{name}.npz", **arrays)
        wanted[f"{name}.npz"] = (points, comment)
    return wanted


def confined() -> bool:
    """Whether this kernel has all the walls; without Landlock a file outside can be read and written."""
    return {"files", "calls"} <= set(run(b"", []).walls)


@pytest.mark.slow
def test_a_hundred_submissions_are_marked_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not confined():
        pytest.skip("this kernel has no Landlock or no seccomp")
    folder = tmp_path / "submissions"
    folder.mkdir()
    wanted = write_all(folder)
    assert len(wanted) >= 100
    before = {path: path.read_bytes() for path in folder.iterdir()}
    out, left = tmp_path / "points.csv", tmp_path / "temporary"
    left.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(left))
    code = main(
        ["check", str(folder), "--time", "1", "--memory", "256", "--csv", str(out), "--length", "8", "--jobs", "3"]
    )
    assert code == 1
    with out.open(newline="", encoding="utf-8") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    assert rows.keys() == wanted.keys()
    faults = []
    for name, (points, comment) in wanted.items():
        row = rows[name]
        if int(row["points"]) != points or not re.search(comment, row["comment"]):
            faults.append(f"{name}: {row['points']} for {points}, {comment!r}: {row['comment']}")
        if (row["points"] == row["of"]) != (row["result"] == "works"):
            faults.append(f"{name}: {row}")
    assert not faults, "\n".join(faults)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    assert {path.name for path in tmp_path.iterdir()} == {"submissions", "points.csv", "temporary"}
    assert not list(left.iterdir())
    printed = capsys.readouterr().out
    assert printed.count("\n") == len(wanted) + 1
    assert "\x1b" not in printed


def test_the_numbers_are_those_of_the_seed(tmp_path: Path) -> None:
    """Answers that were copied down for one seed are worth nothing with another."""
    answers = HEAD + "def power_gradient(u, h, k, error_gradient):\n    return KNOWN.get((float(u[0]), k), u)\n"
    from mazegrad.marking import exercise_39

    jobs = exercise_39.jobs(np.random.default_rng([0, 39]))
    known = {(float(j.arrays[0][0]), j.arrays[2]): power_gradient(*j.arrays).tolist() for j in jobs}
    file = tmp_path / "copied.py"
    file.write_text(answers + f"KNOWN = {{key: np.array(v) for key, v in {known!r}.items()}}\n")
    (first,), (second,) = mark(file, seed=0), mark(file, seed=1)
    assert first.points == 10
    assert second.points < first.points
    assert "expected" in next(check.detail for check in second.checks if not check.ok)


def test_one_that_sleeps_is_stopped_by_the_clock() -> None:
    start = time.monotonic()
    outcome = run(b"import time\nwhile True:\n    time.sleep(100)\n", [Job("f", [])], QUICK)
    assert outcome.ended == "it took more than 1 s and was stopped"
    assert outcome.answers[0].error == outcome.ended
    assert time.monotonic() - start < 30


def test_what_a_submission_writes_and_reads_is_its_own(tmp_path: Path) -> None:
    """Files of one run are gone after it, and the environment holds nothing of ours."""
    source = HEAD + (
        "import os\nopen('a.txt', 'w').write('x')\n"
        "def f(x): return np.array([len(os.listdir('.')), 'SECRET' in os.environ, os.getcwd() == '/'])\n"
    )
    os.environ["SECRET"] = "x"
    try:
        for _ in range(2):
            (answer,) = run(source.encode(), [Job("f", [np.zeros(1)])]).answers
            assert not answer.error
            assert answer.values[0].tolist() == [1, 0, 0]
    finally:
        del os.environ["SECRET"]


def test_links_pipes_and_long_files_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "link.py").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe.py")
    os.mkfifo(tmp_path / "pipe.npz")
    (tmp_path / "long.py").write_bytes(b"h_conv2d\n" * 200_000)
    (tmp_path / "none.py").write_text("x = 1\n")
    (tmp_path / ".hidden.py").write_text(GOOD)
    student = tmp_path / "anna"
    student.mkdir()
    (student / "right.py").write_text(POWER)
    names = [path.relative_to(tmp_path).as_posix() for path in submissions(tmp_path)]
    assert names == ["anna/right.py", "link.py", "long.py", "none.py", "pipe.npz", "pipe.py"]
    assert main(["check", str(tmp_path)]) == 2
    printed = capsys.readouterr().out
    assert printed.count("this is a link, a pipe or a device") == 3
    assert "more than 1,048,576" in printed
    assert "it defines none of power_gradient, h_conv2d, h_conv2d_grad, Conv2D" in printed
    assert "1 of 6 work" in printed


def test_one_file_tells_its_story(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.py"
    file.write_text(WRONG_41["no_turn"][0])
    assert main(["check", str(file)]) == 1
    printed = capsys.readouterr().out
    assert "works  h_conv2d: one image: right" in printed
    assert re.search(
        r"FAILS  h_conv2d_grad: image: .* rotated by 180 degrees\): it is .* at \[0, 0, 0, 0\]; expected", printed
    )
    assert printed.endswith("exercise 41: 16 of 20 points\n")
    assert main(["check", str(file), "--json"]) == 1
    (report,) = json.loads(capsys.readouterr().out)["submissions"]
    assert (report["exercise"], report["points"], report["of"]) == (41, 16, 20)
    assert sum(check["of"] for check in report["checks"]) == 20


def test_both_exercises_in_one_file_are_two_rows(tmp_path: Path) -> None:
    file = tmp_path / "both.py"
    file.write_text(POWER + GOOD)
    assert [(r.exercise, r.points, r.worth) for r in mark(file)] == [(39, 10, 10), (41, 20, 20)]
    assert [r.exercise for r in mark(file, exercise=39)] == [39]


def test_one_exercise_of_a_folder_with_several(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.py").write_text(POWER)
    (tmp_path / "b.py").write_text(GOOD)
    (tmp_path / "c.py").write_text("x = 1\n")
    np.savez(tmp_path / "d.npz", **VALUES_39["values"][0])
    np.savez(tmp_path / "e.npz", **NETS_38["net"][0])
    rows = {}
    for exercise in (38, 39, 41):
        main(["check", str(tmp_path), "--exercise", str(exercise)])
        rows[exercise] = [line.split()[:4] for line in capsys.readouterr().out.splitlines()[:-1]]
    assert rows[38] == [["c.py", "38", "ERROR", "exercise"], ["e.npz", "38", "works", "10/10"]]
    assert rows[39] == [
        ["a.py", "39", "works", "10/10"],
        ["c.py", "39", "FAILS", "0/10"],
        ["d.npz", "39", "works", "10/10"],
    ]
    assert rows[41] == [["b.py", "41", "works", "20/20"], ["c.py", "41", "FAILS", "0/20"]]


def test_a_name_is_no_formula_in_a_spreadsheet(tmp_path: Path) -> None:
    (tmp_path / "=cmd.py").write_text(POWER)
    out = tmp_path / "points.csv"
    main(["check", str(tmp_path), "--csv", str(out)])
    assert out.read_text().splitlines()[1].startswith("'=cmd.py,39,10,10,works")


def test_a_table_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(POWER)
    with pytest.raises(SystemExit) as stopped:
        main(["check", str(tmp_path), "--csv", str(tmp_path / "none" / "points.csv")])
    assert stopped.value.code == 2
