"""Draw a maze as text, compile it into tables, and let anything walk it.

Importing the package registers its Gymnasium environments. The subpackages `mazegrad.envs` (worlds), `mazegrad.agents`
and `mazegrad.nn` (neural networks) are imported by name, so that nobody waits for one that is not used.
"""

import sys as _sys

from gymnasium.envs.registration import register as _register

__version__ = "0.1.0"

# id -> entry point in mazegrad.envs; a string, so that nothing is imported before an environment is made
_ENVIRONMENTS = {"PathFollow": "path_follow", "GridWorld": "grid_world", "Maze": "maze", "TMaze": "t_maze"}
# id -> shipped map
_TEXTBOOK = {
    "FourRooms": "four_rooms",
    "CliffWalk": "cliff_walk",
    "WindyGrid": "windy_grid",
    "DynaMaze": "dyna_maze",
    "KeyDoor": "key_door",
    "IceLake": "ice_lake",
}

for _name, _function in _ENVIRONMENTS.items():
    _entry = f"mazegrad.envs.worlds:{_function}"
    _register(f"mazegrad/{_name}-v0", entry_point=_entry, vector_entry_point=_entry)
for _name, _maze in _TEXTBOOK.items():
    _entry = "mazegrad.envs.worlds:grid_world"
    _register(f"mazegrad/{_name}-v0", entry_point=_entry, vector_entry_point=_entry, kwargs={"maze": _maze})

if (_shell := getattr(_sys.modules.get("IPython"), "get_ipython", lambda: None)()) is not None:
    from .notebook import show_wrapped_environments as _show

    _show(_shell)
