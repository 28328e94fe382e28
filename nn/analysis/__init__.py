"""Only looks at gradients: why they vanish or explode, how far back they reach, and what they do in each layer.

`powers.py` is exercise 39 in closed form; `through_time.py` measures any recurrent model; `jacobians.py` takes single
steps apart; `feed_forward.py` looks at layers. Each `plot_*` draws what its namesake returns (extra: plot).
"""

from ..plot import (
    plot_dead_units,
    plot_gradient_norms,
    plot_layer_gradients,
    plot_noise_scale,
    plot_power_gradient,
    plot_spectrum,
    plot_update_ratios,
)
from .feed_forward import (
    Activation,
    LayerGradient,
    NoiseScale,
    dead_units,
    gradient_noise_scale,
    layer_gradients,
    update_ratios,
)
from .jacobians import Spectrum, spectrum, step_jacobians
from .powers import PowerLimits, power_gradient, power_gradient_matrix, power_limits, spectral_radius
from .through_time import Growth, Verdict, gradient_norms, growth_rate, horizon, state_gradients, verdict, why

__all__ = [
    "Activation",
    "Growth",
    "LayerGradient",
    "NoiseScale",
    "PowerLimits",
    "Spectrum",
    "Verdict",
    "dead_units",
    "gradient_noise_scale",
    "gradient_norms",
    "growth_rate",
    "horizon",
    "layer_gradients",
    "plot_dead_units",
    "plot_gradient_norms",
    "plot_layer_gradients",
    "plot_noise_scale",
    "plot_power_gradient",
    "plot_spectrum",
    "plot_update_ratios",
    "power_gradient",
    "power_gradient_matrix",
    "power_limits",
    "spectral_radius",
    "spectrum",
    "state_gradients",
    "step_jacobians",
    "update_ratios",
    "verdict",
    "why",
]
