"""Draw a maze as text, compile it into tables, and let anything walk it.

Importing the package registers its Gymnasium environments. The subpackages `mazegrad.envs` (worlds), `mazegrad.agents`
and `mazegrad.nn` (neural networks) are imported by name, so that nobody waits for one that is not used.
"""

import sys as _sys

if _sys.platform == "emscripten":  # Pyodide
    from .browser import stand_in as _stand_in

    _stand_in()

from gymnasium.envs.registration import register as _register

__version__ = "0.1.0"

# id -> entry point in mazegrad.envs; a string, so that nothing is imported before an environment is made
_ENVIRONMENTS = {"PathFollow": "path_follow", "GridWorld": "grid_world", "Maze": "maze", "TMaze": "t_maze"}
# id -> entry point of those that walk through other tables than a maze's
_TABULAR = {"Tabular": "tabular"}
# id -> its keywords: a shipped map; the step limit is that of the source where it has one
_TEXTBOOK: dict[str, dict[str, object]] = {
    "FourRooms": {"maze": "four_rooms"},
    "CliffWalk": {"maze": "cliff_walk"},
    "WindyGrid": {"maze": "windy_grid"},
    "DynaMaze": {"maze": "dyna_maze"},
    "KeyDoor": {"maze": "key_door"},
    "IceLake": {"maze": "ice_lake", "time_limit": 100},  # Gymnasium's FrozenLake-v1
}
# id -> the best expected return within the step limit, not discounted, less 5 % of its absolute value; it follows from
# the tables of the environment with its default keywords, and tests/test_thresholds.py computes it
_THRESHOLDS = {
    "PathFollow": 0.95,
    "GridWorld": 0.95,
    "Maze": 0.95,
    "TMaze": 0.95,
    "FourRooms": 0.95,
    "CliffWalk": -13.65,
    "WindyGrid": -15.75,
    "DynaMaze": 0.95,
    "KeyDoor": 0.95,
    "IceLake": 0.7,  # that of FrozenLake-v1; by the rule it would be 0.707
}

for _name, _function in (_ENVIRONMENTS | _TABULAR).items():
    _entry = f"mazegrad.envs.worlds:{_function}"
    _threshold = _THRESHOLDS.get(_name)
    _register(f"mazegrad/{_name}-v0", _entry, reward_threshold=_threshold, vector_entry_point=_entry)
for _name, _keywords in _TEXTBOOK.items():
    _entry = "mazegrad.envs.worlds:grid_world"
    _threshold = _THRESHOLDS.get(_name)
    _register(f"mazegrad/{_name}-v0", _entry, reward_threshold=_threshold, vector_entry_point=_entry, kwargs=_keywords)

if (_shell := getattr(_sys.modules.get("IPython"), "get_ipython", lambda: None)()) is not None:
    from .notebook import show_wrapped_environments as _show

    _show(_shell)
