"""Build it yourself: automatic differentiation in 100 lines, and a net that learns with it.

The idea is that of `mazegrad.nn`, without what makes that quick and safe. A `Tensor` is an array that remembers which
tensors it was made from, and how a gradient goes back to them. `backward` visits each tensor once, newest first, and
adds up what arrives. An operation is one line: its value, and for each operand the function that takes the gradient of
the result back to it. `docs/nn.md` says what `nn` adds to this, and why.

    python examples/tiny_autograd.py
"""

import itertools

import numpy as np

_serial = itertools.count()


class Tensor:
    """An array, `data`, that remembers how it was made; after `backward`, `grad` is d(result)/d(data)."""

    __array_ufunc__ = None  # array + tensor asks the tensor

    def __init__(self, data, parents=()):
        self.data, self.grad = np.asarray(data, dtype=float), None
        self.parents = parents  # pairs: a tensor, and the function that takes a gradient back to it
        self.serial = next(_serial)  # whoever was made from it comes later

    def backward(self):
        """Fill the `grad` of every tensor that this one was made from."""
        seen, stack = {id(self): self}, [self]
        while stack:  # a loop: a chain of 50,000 operations is no deeper than one
            for parent, _ in stack.pop().parents:
                if id(parent) not in seen:
                    seen[id(parent)] = parent
                    stack.append(parent)
        self.grad = np.ones_like(self.data)
        for tensor in sorted(seen.values(), key=lambda tensor: -tensor.serial):
            for parent, back in tensor.parents:
                grad = fit(back(tensor.grad), parent.data.shape)
                parent.grad = grad if parent.grad is None else parent.grad + grad

    # operations: the value, then each operand with its way back
    def __add__(self, other):
        other = tensor(other)
        return Tensor(self.data + other.data, [(self, lambda g: g), (other, lambda g: g)])

    def __mul__(self, other):
        other = tensor(other)
        return Tensor(self.data * other.data, [(self, lambda g: g * other.data), (other, lambda g: g * self.data)])

    def __pow__(self, n):
        return Tensor(self.data**n, [(self, lambda g: g * n * self.data ** (n - 1))])

    def __matmul__(self, other):  # matrices
        other = tensor(other)
        return Tensor(self.data @ other.data, [(self, lambda g: g @ other.data.T), (other, lambda g: self.data.T @ g)])

    def exp(self):
        """e to the power of each number."""
        out = np.exp(self.data)
        return Tensor(out, [(self, lambda g: g * out)])

    def log(self):
        """The natural logarithm of each number."""
        return Tensor(np.log(self.data), [(self, lambda g: g / self.data)])

    def tanh(self):
        """The hyperbolic tangent of each number."""
        out = np.tanh(self.data)
        return Tensor(out, [(self, lambda g: g * (1 - out * out))])

    def relu(self):
        """Each number, or 0 if it is negative."""
        return Tensor(np.maximum(self.data, 0), [(self, lambda g: g * (self.data > 0))])

    def sum(self):
        """The sum of all numbers."""
        return Tensor(self.data.sum(), [(self, lambda g: g * np.ones_like(self.data))])

    # and what follows from those
    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + -tensor(other)

    def __truediv__(self, other):
        return self * tensor(other) ** -1

    __radd__, __rmul__ = __add__, __mul__


def tensor(x):
    """x as a tensor; a plain number or array has no parents."""
    return x if isinstance(x, Tensor) else Tensor(x)


def fit(grad, shape):
    """Sum a gradient over the axes along which an operand of this shape was broadcast."""
    grad = grad.sum(tuple(range(grad.ndim - len(shape))))
    return grad.sum(tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True)


def main(steps=2000, rate=0.1):
    """A net of two layers learns XOR by gradient descent; the losses."""
    rng = np.random.default_rng(0)
    x, wanted = tensor([[0, 0], [0, 1], [1, 0], [1, 1]]), [[0], [1], [1], [0]]
    weights = [Tensor(rng.normal(size=shape)) for shape in ((2, 8), (1, 8), (8, 1), (1, 1))]
    losses = []
    for _ in range(steps):
        W1, b1, W2, b2 = weights
        loss = (((x @ W1 + b1).tanh() @ W2 + b2 - wanted) ** 2).sum() * (1 / 4)
        loss.backward()
        losses.append(float(loss.data))
        weights = [Tensor(w.data - rate * w.grad) for w in weights]  # new leaves: the old graph is forgotten
    return losses


if __name__ == "__main__":
    losses = main()
    print(f"mean squared error on XOR: {losses[0]:.3f} at first, {losses[-1]:.1e} after {len(losses)} steps")
