"""A slow and obvious engine: a lane is a dict, a move a look-up; mazes once entered stay in the scene."""

import numpy as np

from mazegrad.envs import Places, World, slipped, transition
from mazegrad.envs.maps.randomness import MAZE, START, bits, choice, stream


class DictEngine:
    slips, usual_reward = True, 0.0

    def __init__(self, setup, sight, lanes, mazes, levels):
        self.setup, self.sight, self.levels = setup, sight, levels
        self.scene = setup.scene_of(mazes)
        self.number = {maze: number for number, maze in enumerate(mazes)}
        self.world = {number: setup.compile([maze]) for maze, number in self.number.items()}
        self.lanes = [{"maze": 0, "state": 0} for _ in range(lanes)]
        self.enter(range(lanes), list(mazes) * (lanes if len(mazes) == 1 else 1))

    def draw(self, lanes, streams):
        for lane, key, episode in zip(lanes, streams.key.tolist(), streams.episode.tolist(), strict=True):
            if self.levels is not None:
                self.enter([lane], [self.levels.make(self.levels.draw(bits(stream(key, episode), MAZE), int(lane)))])

    def accepts(self, mazes):
        return True

    def enter(self, lanes, mazes):
        for lane, maze in zip(lanes, mazes, strict=True):
            if maze not in self.number:
                self.number[maze] = len(self.number)
                self.setup.checked([maze], self.sight)
                self.world[self.number[maze]] = self.setup.compile([maze])
                self.scene.write(np.array([self.number[maze]]), [maze])
            self.lanes[lane]["maze"] = self.number[maze]

    def start(self, lanes, streams, *, at_once):
        for lane, key, episode in zip(lanes, streams.key.tolist(), streams.episode.tolist(), strict=True):
            starts = self.world[self.lanes[lane]["maze"]].start_states
            state = int(starts[choice(stream(key, episode), START, len(starts))])
            self.lanes[lane] |= {"state": state} if at_once else {"next": state}

    def put(self, lanes, places):
        for lane, (_, cell, carried, heading) in zip(lanes, places.rows(), strict=True):
            world = self.world[self.lanes[lane]["maze"]]
            here = (world.cell == cell) & (world.carried == carried) & (world.heading == heading)
            (self.lanes[lane]["state"],) = np.flatnonzero(here).tolist()

    def copy(self, source, target):
        for lane, one in zip(target, [dict(self.lanes[lane]) for lane in source], strict=True):
            self.lanes[lane] = one

    def move(self, actions, random):
        for lane, action, u in zip(self.lanes, actions.tolist(), (random * 2.0**-53).tolist(), strict=True):
            world = self.world[lane["maze"]]
            direction = slipped(world, lane["state"], action, u)
            lane["outcome"] = [x.item() for x in transition(world, lane["state"], direction)]
            if "next" in lane:
                lane["outcome"] = [lane.pop("next"), 0.0, False]
            lane["state"] = lane["outcome"][0]
        return np.arange(len(self.lanes))

    def outcome(self, lanes):
        outcomes = [self.lanes[lane]["outcome"] for lane in lanes]
        return np.array([reward for _, reward, _ in outcomes]), np.array([end for _, _, end in outcomes])

    def observe(self, lanes=slice(None)):
        return self.sight.look(self.scene)(self.places(lanes))

    def places(self, lanes=slice(None)):
        pairs = [(lane["maze"], lane["state"]) for lane in self.lanes]
        worlds = [(maze, self.world[maze], state) for maze, state in pairs]
        rows = [(maze, world.cell[state], world.carried[state], world.heading[state]) for maze, world, state in worlds]
        return Places(*np.array(rows, dtype=np.int64).T).of(lanes)

    def alike(self, places):
        return None

    def worlds(self, numbers):
        return World.stack([self.world[number] for number in numbers.tolist()])
