"""The arithmetic of tensors: each operation with its derivative beside it.

A rule takes plain arrays and returns `(output, vjp)`; `vjp(grad, needs)` returns one gradient, or None, for each
operand. Elementwise rules leave the memory order to numpy's functions, which keep it.
"""

from .activations import (
    gelu as gelu,
    log_softmax as log_softmax,
    relu as relu,
    sigmoid as sigmoid,
    softmax as softmax,
    tanh as tanh,
)
from .elementwise import (
    absolute as absolute,
    add as add,
    astype as astype,
    clip as clip,
    cos as cos,
    divide as divide,
    exp as exp,
    log as log,
    maximum as maximum,
    minimum as minimum,
    multiply as multiply,
    negative as negative,
    power as power,
    sin as sin,
    sqrt as sqrt,
    square as square,
    subtract as subtract,
    where as where,
)
from .products import einsum as einsum, linear as linear, matmul as matmul
from .reductions import max as max, mean as mean, min as min, sum as sum, var as var
from .shapes import (
    broadcast_to as broadcast_to,
    concatenate as concatenate,
    expand_dims as expand_dims,
    flatten as flatten,
    getitem as getitem,
    reshape as reshape,
    squeeze as squeeze,
    stack as stack,
    transpose as transpose,
)
