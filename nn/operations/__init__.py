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
from .einsum import einsum as einsum
from .gather import gather as gather
from .products import linear as linear, matmul as matmul
from .rectifiers import (
    celu as celu,
    elu as elu,
    glu as glu,
    hardsigmoid as hardsigmoid,
    hardswish as hardswish,
    hardtanh as hardtanh,
    leaky_relu as leaky_relu,
    logsigmoid as logsigmoid,
    mish as mish,
    prelu as prelu,
    relu6 as relu6,
    selu as selu,
    silu as silu,
    softplus as softplus,
    softsign as softsign,
)
from .reductions import (
    cumsum as cumsum,
    logsumexp as logsumexp,
    max as max,
    mean as mean,
    min as min,
    prod as prod,
    sum as sum,
)
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
    unflatten as unflatten,
)
from .spreads import norm as norm, std as std, var as var
