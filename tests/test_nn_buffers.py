"""Memory is handed out again only when nobody can see it any more, however hard one tries to keep a hand on it."""

import gc
import threading
import weakref

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mazegrad.nn import buffers
from mazegrad.nn.convolution import conv_forward, conv_grad_image, conv_grad_kernel

BIG = (100, 200)  # 80,000 bytes in float32: well above buffers.SMALLEST
pooled = pytest.mark.skipif(buffers._FREE < 0, reason="reference counts do not tell here, so nothing is pooled")


@pytest.fixture(autouse=True)
def empty_pool():
    buffers.clear()
    yield
    buffers.clear()


def address(array):
    return array.__array_interface__["data"][0]


def in_a_cycle(array):
    holder = [array[7:]]
    holder.append(holder)
    return holder


# Ways to keep a hand on an array's memory without keeping the array. Each takes an array and returns something that
# numpy can look through again.
WAYS = {
    "the array": lambda a: a,
    "a slice": lambda a: a[1:-1, ::2],
    "a view of a view of a view": lambda a: a[:].T[:].T[3:],
    "backwards": lambda a: a[::-1, ::-1],
    "flat": lambda a: a.reshape(-1),
    "other bytes": lambda a: a.view(np.uint32)[5:],
    "one field": lambda a: a.view([("one", np.uint32)])["one"],
    "read-only": lambda a: np.broadcast_to(a, (2, *a.shape)),
    "a subclass": lambda a: a.view(np.ma.MaskedArray)[2:].data,
    "a matrix": lambda a: a.view(np.matrix)[2:],
    "windows": lambda a: np.lib.stride_tricks.sliding_window_view(a, 3, axis=1),
    "a memoryview": lambda a: memoryview(a)[1:],
    "bytes from a buffer": lambda a: np.frombuffer(a, np.uint32),
    "dlpack": np.from_dlpack,
    "the base": lambda a: a.base,
    "an iterator": lambda a: a.flat,
    "in an object array": lambda a: np.array([None, a[4:]], dtype=object),
    "in a closure": lambda a: lambda: a,
    "in a generator": lambda a: (row for row in a),
    "in a cycle": in_a_cycle,
}


@pooled
@pytest.mark.parametrize("way", WAYS)
def test_what_someone_holds_is_not_given_out(way):
    array = buffers.empty(BIG)
    array.fill(7)
    first, last = address(array), address(array) + array.nbytes
    held = WAYS[way](array)
    del array
    for other in [buffers.empty(BIG) for _ in range(3)]:
        assert not first <= address(other) < last
        other.fill(-1)
    del held, other
    gc.collect()
    assert address(buffers.empty(BIG)) == first, "nobody holds it now, and yet it was not used again"


class Juggler(RuleBasedStateMachine):
    """Makes arrays, views, and views of views, keeps some, drops others, in any order; nothing may ever change."""

    shapes = st.sampled_from([(100, 200), (200, 100), (100, 201), (64, 8, 26, 26), (9000,), (3, 5)])

    def __init__(self):
        super().__init__()
        buffers.clear()
        self.kept = []  # (a view, the value it is full of)
        self.value = 0

    @rule(shape=shapes, dtype=st.sampled_from([np.float32, np.float64, np.int32, np.bool_]))
    def make(self, shape, dtype):
        array = buffers.empty(shape, dtype)
        assert array.shape == shape
        assert array.dtype == dtype
        assert array.flags.c_contiguous
        assert array.flags.writeable
        self.keep(array)

    @precondition(lambda self: self.kept)
    @rule(data=st.data())
    def make_like(self, data):
        array, _ = data.draw(st.sampled_from(self.kept))
        self.keep(buffers.empty_like(array))

    def keep(self, array):
        self.value = (self.value + 1) % 2 if array.dtype == bool else self.value + 1
        array.fill(self.value)
        self.kept.append((array, self.value))

    @precondition(lambda self: self.kept)
    @rule(data=st.data(), drop=st.booleans())
    def view(self, data, drop):
        index = data.draw(st.integers(0, len(self.kept) - 1))
        array, value = self.kept[index]
        change = data.draw(
            st.sampled_from(
                [lambda a: a[1:], lambda a: a.T, lambda a: a[..., ::-1], lambda a: a.ravel(), lambda a: a[:]]
            )
        )
        view = change(array)
        if drop:
            self.kept[index] = (view, value)
        else:
            self.kept.append((view, value))

    @precondition(lambda self: self.kept)
    @rule(data=st.data())
    def drop(self, data):
        self.kept.pop(data.draw(st.integers(0, len(self.kept) - 1)))

    @rule()
    def forget(self):
        buffers.clear()

    @invariant()
    def nothing_changed(self):
        for array, value in self.kept:
            assert (array == value).all()


TestJuggler = Juggler.TestCase
TestJuggler.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)


@pooled
def test_memory_is_used_again_and_aligned():
    seen = set()
    for _ in range(50):
        array = buffers.empty(BIG)
        assert address(array) % 64 == 0
        seen.add(address(array))
    assert len(seen) <= 2  # the old array still lives while the new one is made


def test_small_and_huge_arrays_and_objects_are_numpys_own():
    assert buffers.empty((3, 4)).base is None
    assert buffers.empty((0, 10**6)).base is None
    assert buffers.empty((buffers.LARGEST + 1,), np.uint8).base is None
    assert buffers.empty((10**5,), object)[0] is None


@pooled
def test_the_pool_is_bounded(monkeypatch):
    monkeypatch.setattr(buffers, "LIMIT", 10 * 100_000)
    arrays = []
    for step in range(200):
        arrays.append(buffers.empty((80_000 + 500 * step,), np.uint8))
        arrays[-1].fill(step)
        assert buffers._pool.size <= buffers.LIMIT
    assert all((array == step).all() for step, array in enumerate(arrays))
    owner = weakref.ref(arrays[0].base)
    del arrays
    assert owner() is None, "forgotten memory must die with its last array"


@pooled
def test_one_shelf_is_bounded():
    arrays = [buffers.empty(BIG) for _ in range(buffers.SHELF + 5)]
    assert sum(array.base is None for array in arrays) == 5
    assert len({address(array) for array in arrays}) == len(arrays)


@pytest.mark.parametrize("axes", [(0, 1, 2, 3), (3, 1, 0, 2), (2, 3, 1, 0), (0, 2, 3, 1)])
def test_empty_like_keeps_the_memory_order(axes):
    array = np.zeros((20, 30, 40, 50), np.float32).transpose(axes)
    for like in (array, array[::2, :, 1:], array[..., ::-1]):
        ours, numpys = buffers.empty_like(like), np.empty_like(like)
        assert ours.shape == numpys.shape
        assert ours.strides == numpys.strides
        assert ours.dtype == numpys.dtype
    assert buffers.empty_like(array, bool).dtype == bool
    assert buffers.empty_like(array, bool).strides == np.empty_like(array, bool).strides


def test_threads_do_not_meet():
    """Each thread juggles its own arrays and hands some over to the others, who drop them at any time."""
    handed_over, errors = [], []

    def work(seed):
        rng, mine = np.random.default_rng(seed), []
        for step in range(400):
            array = buffers.empty(BIG, np.int32)
            value = seed * 1000 + step
            array.fill(value)
            (mine if rng.random() < 0.5 else handed_over).append((array[1:], value))
            for shelf in (mine, handed_over):
                if len(shelf) > 20:  # never emptied, even if all six threads pop at once
                    view, value = shelf.pop(int(rng.integers(10)))
                    if not (view == value).all():
                        errors.append((seed, step, value))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert all((view == value).all() for view, value in handed_over), "arrays outlive the thread that made them"


def test_two_equal_layers_do_not_share_what_backward_needs():
    rng = np.random.default_rng(3)
    image = rng.standard_normal((16, 8, 20, 20), np.float32)
    kernels = [rng.standard_normal((8, 8, 3, 3), np.float32) for _ in range(2)]
    first = conv_forward(image, kernels[0], 1)
    kept = first.copy()
    second = conv_forward(first, kernels[1], 1)
    third = conv_forward(second, kernels[1], 1)
    assert not np.shares_memory(first, second)
    assert not np.shares_memory(second, third)
    conv_grad_image(kernels[1], third, second.shape, 1)
    conv_grad_kernel(second, third, kernels[1].shape, 1)
    assert np.array_equal(first, kept)
    assert np.array_equal(conv_forward(first, kernels[1], 1), second)
