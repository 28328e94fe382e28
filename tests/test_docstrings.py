"""The examples in docstrings run, and print what they say; every public class and function has one."""

import doctest
import importlib
import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import mazegrad
import mazegrad.agents
import mazegrad.envs
import mazegrad.nn

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
ROOMS = (mazegrad.envs, mazegrad.agents, mazegrad.nn)
DOCS = Path(__file__).parent.parent / "docs"
# modules whose examples need an optional package; without it they are skipped
NEEDS = {
    "mazegrad.agents.learners.tabular.plot": "matplotlib",
    "mazegrad.envs.functional.vector": "array_api_compat",
}
# still without an example: to be written, and taken from here
MISSING_IN_ENVS_AND_AGENTS: set[str] = set()
MISSING_ELSEWHERE: set[str] = {
    "mazegrad.nn.data.DataNotFound",
    "mazegrad.nn.data.DataDamaged",
    "mazegrad.nn.data.mnist",
    "mazegrad.nn.data.load_file",
    "mazegrad.nn.data.unpack",
    "mazegrad.nn.analysis.HessianSpectrum",
    "mazegrad.nn.analysis.hessian_spectrum",
    "mazegrad.nn.analysis.first_non_finite",
    "mazegrad.nn.analysis.why",
    "mazegrad.nn.analysis.Activation",
    "mazegrad.nn.analysis.LayerGradient",
    "mazegrad.nn.analysis.NoiseScale",
    "mazegrad.nn.analysis.dead_units",
    "mazegrad.nn.analysis.gradient_noise_scale",
    "mazegrad.nn.analysis.layer_gradients",
    "mazegrad.nn.analysis.update_ratios",
    "mazegrad.nn.analysis.Spectrum",
    "mazegrad.nn.analysis.spectrum",
    "mazegrad.nn.analysis.step_jacobians",
    "mazegrad.nn.analysis.plot_dead_units",
    "mazegrad.nn.analysis.plot_gradient_norms",
    "mazegrad.nn.analysis.plot_layer_gradients",
    "mazegrad.nn.analysis.plot_noise_scale",
    "mazegrad.nn.analysis.plot_power_gradient",
    "mazegrad.nn.analysis.plot_spectrum",
    "mazegrad.nn.analysis.plot_update_ratios",
    "mazegrad.nn.analysis.PowerLimits",
    "mazegrad.nn.analysis.power_gradient_matrix",
    "mazegrad.nn.analysis.power_limits",
    "mazegrad.nn.analysis.Growth",
    "mazegrad.nn.analysis.Verdict",
    "mazegrad.nn.analysis.gradient_norms",
    "mazegrad.nn.analysis.growth_rate",
    "mazegrad.nn.analysis.horizon",
    "mazegrad.nn.analysis.state_gradients",
    "mazegrad.nn.analysis.verdict",
    "mazegrad.adapters.as_agent",
    "mazegrad.adapters.sb3",
    "mazegrad.adapters.syllabus",
    "mazegrad.adapters.minari.folder_of",
    "mazegrad.adapters.minari.write",
    "mazegrad.adapters.minari.spec_of",
    "mazegrad.adapters.minari.read",
    "mazegrad.adapters.rllib.is_rllib",
    "mazegrad.adapters.rllib.RLlibAgent",
    "mazegrad.offline.Arrays",
    "mazegrad.offline.Dataset",
    "mazegrad.offline.flat",
    "mazegrad.offline.as_torch",
    "mazegrad.offline.collect",
    "mazegrad.distributed.Actors",
    "mazegrad.distributed.Batch",
    "mazegrad.distributed.certify_memory",
    "mazegrad.distributed.cluster",
    "mazegrad.distributed.collect",
    "mazegrad.distributed.evaluate",
    "mazegrad.distributed.rollout",
    "mazegrad.distributed.run_scores",
    "mazegrad.distributed.spread",
    "mazegrad.pictures.style.line",
    "mazegrad.pictures.style.figure",
    "mazegrad.pictures.style.draw_line",
    "mazegrad.pictures.style.band",
    "mazegrad.pictures.style.shades",
    "mazegrad.pictures.style.ink_at",
    "mazegrad.pictures.style.finish",
    "mazegrad.pictures.style.save",
    "mazegrad.scores.Expected",
    "mazegrad.scores.Job",
    "mazegrad.scores.Plan",
    "mazegrad.scores.Result",
    "mazegrad.scores.checked",
    "mazegrad.scores.environment_table",
    "mazegrad.scores.read_results",
    "mazegrad.scores.run_job",
    "mazegrad.scores.work",
    "mazegrad.page.Drawing",
    "mazegrad.page.build_page",
    "mazegrad.progress.Screen",
    "mazegrad.progress.progress",
    "mazegrad.progress.clock",
    "mazegrad.curves.Curves",
    "mazegrad.curves.sparkline",
}


def modules() -> Iterator[str]:
    """Yield the names of all modules that hold an example, without importing them: some need optional packages."""
    for room in (mazegrad, *ROOMS):
        for module in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            spec = importlib.util.find_spec(module.name)
            if spec is not None and spec.origin is not None and ">>> " in Path(spec.origin).read_text("utf-8"):
                yield module.name


@pytest.mark.parametrize("name", sorted({*modules()}))
def test_the_examples_of_a_module_run(name: str) -> None:
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    failed, tried = doctest.testmod(importlib.import_module(name), optionflags=FLAGS)
    assert tried
    assert not failed


def public() -> dict[str, object]:
    """Return every public class and function, once each, by the name under which the reference has it first.

    Not constants and the names of types: they have no docstring.
    """
    sys.path.insert(0, str(DOCS))
    try:
        names = importlib.import_module("reference").all_names()
    finally:
        sys.path.remove(str(DOCS))
    first = {id(name.value): name for name in reversed(names)}
    called = (name for name in names if inspect.isclass(name.value) or inspect.isroutine(name.value))
    return {name.full: name.value for name in called if first[id(name.value)] is name}


def test_every_public_class_and_function_has_an_example() -> None:
    named = public()
    assert len(named) > 500
    without = {name for name, value in named.items() if ">>> " not in (getattr(value, "__doc__", None) or "")}
    assert sorted(without ^ (MISSING_IN_ENVS_AND_AGENTS | MISSING_ELSEWHERE)) == []
