"""The inside of the sandbox: confine this process, run a submitted file, call its functions, write down the results.

Started by `sandbox.run` as a program of its own; it knows numpy and the standard library, and no expected result. All
that it needs of numpy is taken before the submission runs, since that may change numpy as it likes.
"""

import builtins
import ctypes
import importlib
import json
import os
import struct
import sys
import sysconfig
import types
from typing import Any, Final

import numpy as np
import numpy.fft
import numpy.lib.stride_tricks
import numpy.linalg
import numpy.random

MOST: Final = 2**22  # bytes of one returned array
_CPU, _FSIZE, _CORE, _NPROC, _NOFILE, _AS = 0, 1, 4, 6, 7, 9  # of setrlimit, on Linux

# system calls that nobody needs who computes: new processes and threads, other processes, the network, shared memory
# that outlives a process, owners, modes and times of files, the machine's settings, and the limits themselves
_REFUSED: Final = {
    "x86_64": (0xC000003E, (
        56, 57, 58, 59, 322, 435, 101, 62, 200, 234, 129, 297, 424, 434, 41, 53, 160, 302, 165, 166, 272, 308, 310, 311,
        321, 248, 249, 250, 425, 298, 323, 161, 155, 169, 170, 171, 141, 112, 109, 29, 64, 68, 90, 91, 268, 452, 92, 93,
        94, 260, 132, 235, 280, 261, 188, 189, 190, 197, 198, 199, 133, 259, 164, 227, 159, 305, 175, 313, 176, 246,
        320, 167, 168, 163, 428, 429, 430, 431, 432, 442, 203, 144, 142, 314, 83, 258, 86, 265, 88, 266, 76, 319, 447,
            103, 172, 173, 153, 304, 300, 438,
    )),
    "aarch64": (0xC00000B7, (
        220, 221, 281, 435, 117, 129, 130, 131, 138, 240, 424, 434, 198, 199, 164, 261, 40, 39, 97, 268, 270, 271, 280,
        217, 218, 219, 425, 241, 282, 51, 41, 142, 161, 162, 140, 157, 154, 194, 186, 190, 52, 53, 452, 54, 55, 88, 5,
        6, 7, 14, 15, 16, 33, 170, 112, 171, 266, 105, 273, 106, 104, 294, 224, 225, 89, 428, 429, 430, 431, 432, 442,
        122, 119, 118, 274, 34, 36, 37, 45, 279, 447, 116, 58, 265, 262, 438,
    )),
}  # fmt: skip
_MODULES: Final = frozenset(sys.stdlib_module_names) | {"numpy", "mazegrad"}


def confine(limits: dict[str, int], folder: str) -> list[str]:
    """Give up whatever a submission must not have; return the names of the walls that stand."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/self/statm") as file:
        taken = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    used = sum(os.times()[:2])
    for kind, most in (
        (_AS, taken + limits["memory"]), (_CPU, max(1, round(used + limits["seconds"]))), (_FSIZE, limits["file"]),
        (_CORE, 0), (_NPROC, 0), (_NOFILE, 64),
    ):  # fmt: skip
        if libc.setrlimit(kind, struct.pack("QQ", most, most)):
            raise OSError(ctypes.get_errno(), f"setrlimit {kind}")
    walls = ["limits"]
    libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
    if _landlock(libc, folder):
        walls.append("files")
    if _seccomp(libc):
        walls.append("calls")
    sys.addaudithook(_audit)
    return walls


def _landlock(libc: Any, folder: str) -> bool:
    """Let this process write below `folder` only, and read Python's and numpy's folders only (Linux 5.13, Landlock)."""
    version = libc.syscall(444, None, 0, 1)
    if version < 1:
        return False
    rights = (1 << (13 if version == 1 else 14 if version == 2 else 15)) - 1
    network = 3 if version >= 4 else 0
    attribute = struct.pack("QQ", rights, network)
    rules = libc.syscall(444, attribute, 16 if version >= 4 else 8, 0)
    if rules < 0:
        return False
    read = 4 | 8  # files, folders
    write = read | (2 | 32 | 256 | 1 << 14) & rights  # and write, remove, make and shorten files
    paths = sysconfig.get_paths()
    home = os.path.dirname(np.__file__)
    allowed = [(folder, write)]
    allowed += [(paths[name], read) for name in ("stdlib", "platstdlib")]
    allowed += [(home, read), (f"{home}.libs", read), ("/lib", read), ("/lib64", read), ("/etc/ld.so.cache", 4)]
    allowed += [("/dev/null", 4), ("/dev/urandom", 4)]
    for path, what in allowed:
        try:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        if libc.syscall(445, rules, 1, struct.pack("=Qi", what, place), 0):
            return False
        os.close(place)
    done = libc.syscall(446, rules, 0) == 0
    os.close(rules)
    return done


def _seccomp(libc: Any) -> bool:
    """Refuse the system calls above with "permission denied"."""
    machine = os.uname().machine
    if machine not in _REFUSED or sys.maxsize < 2**32:
        return False
    architecture, numbers = _REFUSED[machine]
    count = len(numbers)
    program = [
        (0x20, 0, 0, 4),  # load the architecture
        (0x15, 1, 0, architecture),
        (0x06, 0, 0, 0x80000000),  # another one: kill
        (0x20, 0, 0, 0),  # load the number of the call
        (0x35, count + 1, 0, 0x40000000),  # x32: refuse
        *((0x15, count - place, 0, number) for place, number in enumerate(numbers)),
        (0x06, 0, 0, 0x7FFF0000),  # allow
        (0x06, 0, 0, 0x00050001),  # refuse: EPERM
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
    header = struct.pack("HxxxxxxQ", len(program), ctypes.addressof(code))
    return bool(libc.prctl(22, 2, header, 0, 0) == 0)  # PR_SET_SECCOMP, filter


def _audit(event: str, _: Any) -> None:
    if event.startswith(
        ("socket.", "subprocess.", "ctypes.", "os.fork", "os.exec", "os.posix_spawn", "os.system", "os.kill")
    ):
        raise PermissionError(f"{event} is not allowed here")


class _Guard:
    """Refuse to import anything but the standard library, numpy and mazegrad.nn."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> None:
        """Find nothing; a refused name is an ImportError."""
        root = name.partition(".")[0]
        if root not in _MODULES or (root == "mazegrad" and "conv" in name):
            raise ImportError(f"{name} is not allowed here; use numpy and the standard library")


class _Missing(Exception):
    pass


def _named(module: Any, name: str) -> Any:
    if not hasattr(module, name):
        raise _Missing(f"{name} is not defined in this file")
    return getattr(module, name)


def _call(module: Any, job: dict[str, Any], arrays: list[Any]) -> list[Any]:
    """Call a function; what it returns, a tuple or list of arrays as several values."""
    found = _named(module, job["name"])(*arrays)
    return list(found) if isinstance(found, (tuple, list)) and job["several"] else [found]


def _data(value: Any) -> Any:
    return value if isinstance(value, np.ndarray) else getattr(value, "data", value)


def _held(layer: Any, name: str) -> Any:
    if not hasattr(layer, name):
        raise _Missing(f"the layer has no {name}")
    return getattr(layer, name)


def _put(layer: Any, name: str, value: Any) -> Any:
    """Set a weight of a layer, in its dtype and shape, and return what holds it."""
    held = _held(layer, name)
    old = _array(_data(held))
    if old.size != value.size:
        raise _Missing(f"{name} has the shape {old.shape}; expected {value.shape}")
    value = value.reshape(old.shape).astype(old.dtype if old.dtype.kind == "f" else float)
    if isinstance(held, np.ndarray):
        setattr(layer, name, value)
    elif hasattr(held, "assign"):
        held.assign(value)
    else:
        held.data = value
    return held


def _layer(module: Any, job: dict[str, Any], arrays: list[Any]) -> list[Any]:
    """Build Conv2D, set its weights, and run it forwards and back: output, gradients of image, weight and bias."""
    image, kernel, bias, grad = arrays
    layer = _named(module, "Conv2D")(kernel.shape[1], kernel.shape[0], kernel.shape[2])
    weight = _put(layer, "weight", kernel)
    offset = _put(layer, "bias", bias)
    dtype = _array(_data(weight)).dtype
    image, grad = image.astype(dtype), grad.astype(dtype)
    if isinstance(weight, np.ndarray):
        run = getattr(layer, "forward", layer)
        out = run(image)
        if not job["backward"]:
            return [out]
        grad_image = _held(layer, "backward")(grad)
        return [out, grad_image, _held(layer, "weight_grad"), _held(layer, "bias_grad")]
    tensor = _named(module, "Tensor")
    try:
        x = tensor(image, requires_grad=True)
    except TypeError:
        x = tensor(image)
    out = layer(x) if callable(layer) else layer.forward(x)
    if not job["backward"]:
        return [_data(out)]
    (out * tensor(grad)).sum().backward()
    return [_data(out), x.grad, weight.grad, offset.grad]


_array = np.asarray
_copy = np.array
_ndarray = np.ndarray
_jobs = {"call": _call, "layer": _layer}


def _packed(values: list[Any]) -> tuple[list[dict[str, Any]], bytes]:
    heads, parts = [], []
    for value in values:
        if not isinstance(value, _ndarray):
            if type(value).__module__ == "numpy" or type(value) in (float, int):
                value = _array(value)
            else:
                heads.append({"type": type(value).__name__[:60]})
                continue
        head: dict[str, Any] = {"dtype": value.dtype.str, "shape": list(value.shape)}
        if value.dtype.kind in "biuf" and value.nbytes <= MOST:
            data = _copy(value, order="C").tobytes()
            head["bytes"] = len(data)
            parts.append(data)
        heads.append(head)
    return heads, b"".join(parts)


def _said(error: BaseException) -> str:
    """An error as one line, with its line in the submission."""
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<submission>":
            line = trace.tb_lineno
        trace = trace.tb_next
    if isinstance(error, SyntaxError):
        line = error.lineno
    if isinstance(error, MemoryError):
        return "MemoryError" if line is None else f"MemoryError in line {line}"
    try:
        text = f"{type(error).__name__}: {error}".removesuffix(": ")[:300]
    except Exception:
        text = type(error).__name__[:60]
    return text if line is None or isinstance(error, SyntaxError) else f"{text} (line {line})"


def main(results: int) -> None:
    """Read the task, confine, run, and write a frame for each job to the file descriptor `results`."""
    with open("task.json", encoding="utf-8") as file:
        task = json.load(file)
    with open("submission.py", "rb") as source_file:
        source = source_file.read()
    with np.load("arrays.npz", allow_pickle=False) as kept:
        arrays = {name: kept[name] for name in kept.files}
    if task["nets"]:
        importlib.import_module("mazegrad.nn")
        ours = {name: module for name, module in sys.modules.items() if name.startswith("mazegrad.")}
        for package in [module for module in ours.values() if hasattr(module, "__path__")]:
            for name in [name for name in vars(package) if "conv" in name.lower()]:
                delattr(package, name)  # the solution
        for name in [name for name in ours if "conv" in name]:
            del sys.modules[name]
    write, dump, pack = os.write, json.dumps, struct.pack

    def send(head: dict[str, Any], data: bytes = b"") -> None:
        text = dump(head).encode()
        left = memoryview(pack("II", len(text), len(data)) + text + data)
        while left:
            left = left[write(results, left) :]

    folder = os.path.join(os.getcwd(), "work")
    os.chdir(folder)
    send({"walls": confine(task["limits"], folder)})
    sys.meta_path.insert(0, _Guard)
    sys.path[:] = [path for path in sys.path if "site-packages" not in path and "dist-packages" not in path]
    module = types.ModuleType("submission")
    sys.modules["submission"] = module
    packed, said, jobs, failed = _packed, _said, _jobs, ""
    try:
        module.__dict__["__builtins__"] = builtins
        exec(compile(source, "<submission>", "exec"), module.__dict__)
    except BaseException as error:
        failed = said(error)
    for job in task["jobs"]:
        given = [array if array.ndim else array.item() for array in (arrays[name] for name in job["arrays"])]
        try:
            heads, data = packed(jobs[job["do"]](module, job, given))
            send({"values": heads}, data)
            heads, data = packed([array for array in given if isinstance(array, _ndarray)])
            send({"inputs": heads}, data)
        except _Missing as error:
            send({"error": f"the file did not run to its end: {failed}" if failed else str(error)})
        except BaseException as error:
            send({"error": said(error), "raised": True})
    send({"done": True})
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
