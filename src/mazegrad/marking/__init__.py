"""Marking: what students hand in for exercises 38, 39 and 41, checked and given points.

`exercise_38`, `exercise_39` and `exercise_41` are the checks; `sandbox` runs a submitted Python file in a process of
its own, whose inside is `child`; `report` is what comes out. `docs/teaching.md` says what the sandbox protects from.
"""
