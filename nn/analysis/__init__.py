"""Measurements of gradients: why they vanish or explode, how far back they reach, and their sizes in each layer.

`powers.py` is exercise 39 in closed form; `through_time.py` measures any recurrent model, `jacobians.py` its single
steps, `feed_forward.py` layers, and `curvature.py` second derivatives; `diagnosis.py` explains a gradient that is not
finite. Each `plot_*` draws the result of the function of that name (extra: plot).
"""

from .curvature import HessianSpectrum as HessianSpectrum, hessian_spectrum as hessian_spectrum
from .diagnosis import first_non_finite as first_non_finite, why as why
from .feed_forward import (
    Activation as Activation,
    LayerGradient as LayerGradient,
    NoiseScale as NoiseScale,
    dead_units as dead_units,
    gradient_noise_scale as gradient_noise_scale,
    layer_gradients as layer_gradients,
    update_ratios as update_ratios,
)
from .jacobians import Spectrum as Spectrum, spectrum as spectrum, step_jacobians as step_jacobians
from .plot import (
    plot_dead_units as plot_dead_units,
    plot_gradient_norms as plot_gradient_norms,
    plot_layer_gradients as plot_layer_gradients,
    plot_noise_scale as plot_noise_scale,
    plot_power_gradient as plot_power_gradient,
    plot_spectrum as plot_spectrum,
    plot_update_ratios as plot_update_ratios,
)
from .powers import (
    PowerLimits as PowerLimits,
    power_gradient as power_gradient,
    power_gradient_matrix as power_gradient_matrix,
    power_limits as power_limits,
    spectral_radius as spectral_radius,
)
from .through_time import (
    Growth as Growth,
    Verdict as Verdict,
    gradient_norms as gradient_norms,
    growth_rate as growth_rate,
    horizon as horizon,
    state_gradients as state_gradients,
    verdict as verdict,
)
