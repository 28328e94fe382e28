"""Optimisers read the gradients and write the parameters; nothing else writes them, apart from `assign`.

Arguments, defaults and results are PyTorch's. A step first checks every gradient: if one is not finite, it raises
`NonFiniteGradient` and changes nothing.
"""

from .adam import Adam as Adam, AdamW as AdamW
from .base import (
    AN_OPTIMISER as AN_OPTIMISER,
    Named as Named,
    NonFiniteGradient as NonFiniteGradient,
    Optimiser as Optimiser,
    check_state as check_state,
    named as named,
    one_for_each as one_for_each,
)
from .rmsprop import RMSprop as RMSprop
from .sgd import SGD as SGD
