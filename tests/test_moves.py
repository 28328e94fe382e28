"""Any set of moves, any noise and any wind: textbook values, a second opinion, and the contract over random worlds."""

import itertools
from fractions import Fraction

import gymnasium
import numpy as np
import pytest
from test_certify import tables
from test_physics import STEP, Walker, assert_same

from mazegrad.agents import certify_memory
from mazegrad.envs import (
    Maze,
    MazeEnv,
    MazeError,
    MazeVectorEnv,
    Replay,
    World,
    distances,
    draw,
    load_maze,
    outcomes,
    shortest_path,
    solve,
    value_iteration,
)
from mazegrad.envs.maps.moves import read_moves
from mazegrad.envs.pictures.text import draw_text

from random_worlds import ACTIONS, general_worlds, random_maze

WINDY, GRID = load_maze("windy_grid"), "mazegrad/GridWorld-v0"
KING = [(-1, 0), (0, 1), (0, -1), (1, 0), (-1, 1), (-1, -1), (1, 1), (1, -1)]
STEPS = {
    "four": KING[:4],
    "stay": [*KING[:4], (0, 0)],
    "king": KING,
    "king_stay": [*KING, (0, 0)],
    "up -1 0, leap 0 2, back 0 -1": [(-1, 0), (0, 2), (0, -1)],
    "east 0 1, knight 2 -1, up -1 0": [(0, 1), (2, -1), (-1, 0)],
}
CLOCKWISE = [0, 1, 3, 2]  # up, right, down, left


def turned(step, quarters):
    for _ in range(quarters):
        step = (step[1], -step[0])
    return step


class FreeWalker(Walker):
    """What may happen to an agent with any moves, by the words of the map."""

    def __init__(self, maze):
        wind = maze.setting("wind")
        super().__init__(
            maze.rows(),
            wind=None if wind is None else list(wind.strengths),
            restart=maze.metadata.get("trap") == "restart",
            rewards=maze.setting("rewards") or {},
            blows=0 if wind is None else wind.direction,
            cuts=maze.metadata.get("corners") == "cut",
            walls=maze.metadata.get("walls", "").split(),
        )
        self.actions = maze.metadata.get("actions", "four")
        self.names = read_moves(self.actions).names
        self.varies = Fraction(0) if wind is None else wind.varies
        self.faced = ["up", "right", "left", "down"].index(maze.metadata.get("facing", "up"))
        noise, general = maze.setting("noise") or {}, ("sideways", Fraction(maze.metadata.get("slip", "0")))
        self.own = [line.split() for line in maze.metadata.get("reward", "").split(",") if line]
        self.kinds = {what: kind[0] for what, _, *kind in self.own if kind and kind[0] != "leaving"}
        self.jumps = {line.split()[0]: line.split()[1:] for line in maze.metadata.get("jump", "").split(",") if line}
        self.weights = {"S": 1} | {
            line.split()[0]: int(line.split()[1]) for line in maze.metadata.get("starts", "").split(",") if line
        }
        self.starts = [cell for cell in self.cells for _ in range(self.weights.get(self.tile(cell), 0))]
        self.all_items = maze.metadata.get("exit") == "all items"
        self.noise = {"": [general], "~": [("sideways", Fraction(maze.metadata.get("ice", "2/3")))], **noise}

    def over(self, cell, held=frozenset()):
        tile = self.tile(cell)
        if tile == "G" or self.kinds.get(tile) == "goal":
            return not self.all_items or set(self.items) <= held
        return self.kinds.get(tile) == "trap" or (tile == "X" and not self.restart)

    def earns(self, what, kind):
        """What the header says."""
        return sum(float(n) for one, n, *how in self.own if one == what and (how or ["floor"])[0] == kind)

    def go(self, cell, held, step, gust):
        """Return where a move ends, what is held then, where that leaves the agent, and what it earns."""
        rewards = {"bump": 0.0} | self.rewards
        self.rewards = dict.fromkeys(rewards, 0.0)
        restart, self.restart = self.restart, False
        end, holds, _ = self.walk(cell, held, step, gust)
        self.rewards, self.restart = rewards, restart
        earned, tile = rewards["step"], self.tile(end)
        if step != (0, 0) and not self.can_step(cell, held, step):
            earned += rewards["bump"]
        if tile == "*" and end not in held:
            earned += rewards["item"]
        if tile == "X":
            earned += rewards["trap"]
        if tile == "G" and self.over(end, holds):
            earned += rewards["goal"]
        if self.kinds.get(tile) == "trap" or (self.kinds.get(tile) == "goal" and self.over(end, holds)):
            earned += self.earns(tile, self.kinds[tile])
        if end != cell:
            earned += self.earns(self.tile(cell), "leaving") + self.earns(tile, "floor")
        lands = self.starts[0] if tile == "X" and restart else end
        return lands, holds, earned, lands != end

    def moves(self):
        """Each action: a step of one who faces up, and quarter turns."""
        if self.actions == "turns":
            return [((0, 0), 3), ((0, 0), 1), ((-1, 0), 0)]
        return [(step, 0) for step in STEPS[self.actions]]

    def meanings(self, cell, action):
        """[(step, turn, probability)]."""
        moves = self.moves()
        step, turn = moves[action]
        others = [move for number, move in enumerate(moves) if number != action] or [moves[action]]
        instead = []
        for word, chance in self.noise.get(self.tile(cell), self.noise[""]):
            those = {
                "sideways": [(turned(step, 3), turn), (turned(step, 1), turn)],
                "left_of": [(turned(step, 3), turn)],
                "right_of": [(turned(step, 1), turn)],
                "back": [(turned(step, 2), turn)],
                "stay": [((0, 0), 0)],
                "other": others,
                "any": moves,
            }[word]
            instead += [(*move, chance / len(those)) for move in those]
        return [*instead, (step, turn, 1 - sum(chance for *_, chance in instead))]

    def results(self, cell, held, heading, action):
        """(cell, held, heading) -> [probability, probability * reward]."""
        if self.over(cell, held):
            return {(cell, held, heading): [1.0, 0.0]}
        found = {}
        acting = self.earns(self.names[action], "floor") if len(self.names[action]) > 1 else 0.0
        if self.tile(cell) in self.jumps:
            target, *number = self.jumps[self.tile(cell)]
            cells = self.starts if target == "start" else [one for one in self.cells if self.tile(one) == target]
            for one in cells:
                earned = self.rewards["step"] + float(number[0]) + acting + self.earns(self.tile(cell), "leaving")
                entry = found.setdefault((one, held, heading), [0.0, 0.0])
                entry[0] += 1 / len(cells)
                entry[1] += (earned + self.earns(self.tile(one), "floor")) / len(cells)
            return found
        gusts = [(0, 1 - self.varies), (1, self.varies / 2), (-1, self.varies / 2)]
        for (step, turn, chance), (gust, share) in itertools.product(self.meanings(cell, action), gusts):
            after, holds, reward, restarted = self.go(cell, held, turned(step, CLOCKWISE.index(heading)), gust)
            faces = self.faced if restarted else CLOCKWISE[(CLOCKWISE.index(heading) + turn) % 4]
            entry = found.setdefault((after, holds, faces), [0.0, 0.0])
            entry[0] += float(chance * share)
            entry[1] += float(chance * share) * (reward + acting)
        return found


def test_the_windy_grid_with_more_moves():
    """Sutton & Barto 2018, exercise 6.9: 7 steps with king's moves, and no fewer with the ninth; example 6.5: 15."""
    for actions, steps in (("four", 15), ("stay", 15), ("king", 7), ("king_stay", 7)):
        env = gymnasium.make("mazegrad/WindyGrid-v0", actions=actions, observation="index")
        world = env.unwrapped.world
        assert len(shortest_path(world)) - 1 == steps
        assert value_iteration(world, discount=1).expected_return == -steps
        env.reset(seed=0)
        earned, over = 0.0, False
        best = value_iteration(world, discount=1).policy
        while not over:
            _, reward, over, _, _ = env.step(best[env.unwrapped.state])
            earned += reward
        assert earned == -steps


def test_blanks_around_what_keywords_say():
    """Of texts that are put together by a program: a map's lines have none at their ends."""
    maze = load_maze("four_rooms")
    tidy = World.compile(maze, wind="down " + "0 1 " * 6 + "0", noise="stay 0.1")
    assert World.compile(maze, wind=" down  " + "0 1  " * 6 + "0 ", noise=" stay 0.1 ").mazes == tidy.mazes


def test_a_wind_that_varies():
    """Exercise 6.10: one cell more or one less, with a third each, in the columns where it blows."""
    world = World.compile(WINDY, actions="king", wind="0 0 0 1 1 1 2 2 1 0 varies")
    [state] = np.flatnonzero(world.cell == 36)  # row 3, column 6: wind 2
    listed = outcomes(world)
    rows = {int(world.cell[after]) // 10 for after in listed.next_state[state, 1]}
    assert rows == {0, 1, 2} and np.allclose(listed.probability[state, 1], 1 / 3)
    [calm] = np.flatnonzero(world.cell == 30)
    assert listed.probability[calm, 1].tolist() == [1, 0, 0]
    best = value_iteration(world, discount=1)
    assert -20 < best.expected_return < -7 and np.isfinite(best.values).all()


def test_the_noise_of_the_four_rooms():
    """Sutton, Precup & Singh 1999: an action works with 2/3, else one of the other three directions is taken."""
    world = World.compile(load_maze("four_rooms"), noise={"other": 1 / 3})
    [state] = np.flatnonzero(world.cell == 14)  # the first cell of the first room
    listed = outcomes(world)
    for action in range(4):
        chance = dict.fromkeys(range(4), Fraction(1, 9)) | {action: Fraction(2, 3)}
        expected = np.zeros(world.states)
        for way, p in chance.items():
            expected[world.next_state[state, way]] += float(p)
        found = np.bincount(listed.next_state[state, action], listed.probability[state, action], world.states)
        assert np.abs(found - expected).max() < 1e-15


def test_noise_by_hand():
    maze = Maze.from_text("noise: left_of 0.2, right_of 0.1; ~ stay 1/2, back 1/4\n.....\n.S~.G\n.....\n")
    world = World.compile(maze)
    listed = outcomes(world)
    at = {int(cell): state for state, cell in enumerate(world.cell)}

    def after(cell, action):
        state = at[cell]
        pairs = zip(listed.next_state[state, action].tolist(), listed.probability[state, action].tolist(), strict=True)
        return {int(world.cell[s]): p for s, p in pairs if p}

    assert after(6, 1) == {7: 0.7, 1: 0.2, 11: 0.1}  # right: ahead, above (its left), below
    assert after(7, 1) == {8: 0.25, 7: 0.5, 6: 0.25}
    assert after(6, 0) == {1: 0.7, 5: 0.2, 7: 0.1}
    with pytest.raises(MazeError, match="line 1, column 7: unknown 'west'; known here: sideways"):
        World.compile(Maze.from_text("noise: west 0.5\nS.G\n"))


def test_a_world_of_turns():
    world = World.compile(Maze.from_text("facing: down\nS..\n##.\nG..\n"), actions="turns")
    assert world.actions == 3 and world.states == 7 * 4
    assert len(shortest_path(world)) - 1 == 1 + 2 + 1 + 2 + 1 + 2  # left, forward twice, right, twice, right, twice
    assert world.dots[world.start_states[0]].tolist() == [0, 0, 1, 0]  # facing down, only the left is open
    env = gymnasium.make(GRID, maze=world.mazes[0], observation="index")
    assert env.reset(seed=0)[0] == 3 * 9  # heading down, in a maze of 9 cells
    for action, heading, cell in ((0, 1, 0), (2, 1, 1), (1, 3, 1), (2, 3, 1)):
        assert env.step(action)[0] == heading * 9 + cell
    assert env.unwrapped.get_state().heading == 3
    assert "▼" in draw_text(env.unwrapped.world, env.unwrapped.state)
    pictures = {draw(env.unwrapped.world, state).tobytes() for state in range(world.states)}
    assert len(pictures) == world.states  # the heading is drawn


def test_what_is_seen_turns_with_the_agent():
    views = {}
    for facing in ("up", "right", "left", "down"):
        env = MazeEnv(f"facing: {facing}\n.X.\n*S~\n.a.\n", observation="view", view_size=3, actions="turns")
        views[facing] = env.reset(seed=0)[0]
    for facing, quarters in (("right", 1), ("down", 2), ("left", 3)):
        assert (views[facing] == np.rot90(views["up"], quarters)).all()


def test_corners_are_kept_unless_cut():
    maze = Maze.from_text("S#\n.G\n")
    for corners, steps in ((None, 2), ("keep", 2), ("cut", 1)):
        world = World.compile(maze, actions="king", corners=corners)
        assert distances(world)[world.start_states].tolist() == [steps]
    assert World.compile(maze, actions="king").dots[0].tolist() == [0, 0, 0, 1, 0, 0, 0, 0]
    assert World.compile(maze, actions="king", corners="cut").dots[0].tolist() == [0, 0, 0, 1, 0, 0, 1, 0]


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"actions": "queen"}, "unknown actions 'queen'"),
        ({"actions": {"a": (0, 99)}}, "a move covers up to 16"),
        ({"actions": []}, "actions is empty"),
        ({"actions": {"a": (0.5, 1)}}, "the step of 'a' is"),
        ({"noise": {"other": 1.5}}, "noise has a probability for 'other'"),
        ({"noise": "other"}, "noise is probabilities"),
        ({"noise": "left_of 0.6, right_of 0.6"}, "noise is probabilities"),
        ({"noise": {"sidewards": 0.1}}, "unknown 'sidewards'"),
        ({"noise": {"other": 0.1}, "slip": 0.1}, "give slip or noise"),
        ({"wind": [0, 1]}, "2 numbers for 13 columns"),
        ({"wind": "left 1"}, "1 numbers for 13 rows"),
        ({"wind": [0.5]}, "wind has a whole number"),
        ({"corners": "round"}, "corners is 'keep' or 'cut'"),
    ],
)
@pytest.mark.parametrize("make", [MazeEnv, MazeVectorEnv])
def test_bad_keywords_are_refused(make, keywords, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make("four_rooms", **keywords)


def test_mazes_of_other_actions_are_refused():
    env = MazeEnv("four_rooms", actions="king")
    assert env.action_space.n == 8
    env.reset(seed=0, options={"maze": "spiral"})  # the keyword holds for it too
    assert env.world.actions == 8
    with pytest.raises(ValueError, match="have the same actions, not four and king"):
        World.stack([World.compile(WINDY), World.compile(WINDY, actions="king")])
    with pytest.raises(ValueError, match=r"an action is 0 \(left\), 1 \(right\) or 2 \(forward\), not 3"):
        stepped(MazeEnv(actions="turns"), 3)
    envs = MazeVectorEnv(num_envs=2, actions="king_stay")
    envs.reset(seed=0)
    with pytest.raises(ValueError, match="not 9"):
        envs.step(np.array([8, 9]))


def stepped(env, action):
    env.reset(seed=0)
    return env.step(action)


@pytest.mark.slow
def test_1000_random_worlds_by_a_second_opinion():
    """Every distribution over what follows, and every expected reward, against the plain simulator."""
    words = set()
    for world in general_worlds(1000, seed=1):
        [maze], width = world.mazes, world.mazes[0].width
        walker, listed = FreeWalker(maze), outcomes(world)
        words |= {word for spread in walker.noise.values() for word, chance in spread if chance}
        keys = zip(world.cell.tolist(), world.carried.tolist(), world.heading.tolist(), strict=True)
        at = {key: state for state, key in enumerate(keys)}
        assert [divmod(cell, width) for cell in world.cell[world.start_states].tolist()] == walker.starts
        for (cell, carried, heading), state in at.items():
            held = frozenset(thing for bit, thing in enumerate([*walker.keys, *walker.items]) if carried >> bit & 1)
            place = divmod(cell, width)
            assert world.terminal[state] == walker.over(place, held)
            for action in range(world.actions):
                chance, earned = np.zeros(world.states), 0.0
                for (after, holds, faces), (p, r) in walker.results(place, held, heading, action).items():
                    faces = faces if walker.actions == "turns" else 0
                    if p:
                        chance[at[after[0] * width + after[1], walker.number(holds), faces]] += p
                    earned += r
                found = np.bincount(listed.next_state[state, action], listed.probability[state, action], world.states)
                assert np.abs(found - chance).max() < 1e-12
                assert abs(listed.probability[state, action] @ listed.reward[state, action] - earned) < 1e-9
    assert words == {"sideways", "left_of", "right_of", "back", "stay", "other", "any"}


def brute_force(world, discount):
    """The value of the best deterministic memoryless policy, one after the other; None where there are too many."""
    P, R, reached, seen = tables(world)
    looks = sorted({seen[s] for s in reached})
    if not 1 < len(reached) <= 40 or world.actions ** len(looks) > 5000:
        return None
    which = [looks.index(seen[s]) for s in reached]
    start = np.array([(world.start_states == s).mean() for s in reached])
    best = -np.inf
    for policy in itertools.product(range(world.actions), repeat=len(looks)):
        action = [policy[look] for look in which]
        chosen = P[reached, action][:, reached]
        best = max(best, float(start @ np.linalg.solve(np.eye(len(reached)) - discount * chosen, R[reached, action])))
    return best


@pytest.mark.slow
def test_random_worlds_are_certified_as_by_brute_force():
    tried = 0
    for world in general_worlds(1500, seed=3):
        best = brute_force(world, 0.95)
        if best is None:
            continue
        tried += 1
        made = certify_memory(world, discount=0.95, max_nodes=2, time_limit=1)
        near = 1e-9 * max(1, abs(best))
        assert made.memoryless_value.lower - near <= best <= made.memoryless_value.upper + near
        assert type(made).from_json(made.to_json()).verify()
        if tried == 60:
            break
    assert tried == 60


def test_stacks_are_their_mazes_one_by_one():
    rng = np.random.default_rng(5)
    for _ in range(40):
        actions = str(rng.choice(("four", *ACTIONS)))
        mazes = [random_maze(rng, actions=actions) for _ in range(3)]
        world = World.compile(mazes)
        alone = [World.compile(maze) for maze in mazes]
        assert_same(world, World.stack(alone))
        for number, one in enumerate(alone):
            assert_same(world.only(number), one)


def test_a_replay_of_any_moves(tmp_path):
    noise = {"other": 1 / 3, "~": {"stay": 0.5}}
    env = gymnasium.make(
        GRID, maze="ice_lake", actions={"up": (-1, 0), "knight": (2, 1)}, noise=noise, wind=[0, 1, 0, 0]
    )
    recorder = Replay.record(env)
    for seed in (1, None):
        recorder.reset(seed=seed)
        for step in range(20):
            recorder.step(step % 2)
    recorder.replay.save(tmp_path / "walk")
    assert Replay.load(tmp_path / "walk").verify() is None


@pytest.mark.parametrize("actions", ["four", *ACTIONS])
def test_solvers_walk_with_any_moves(actions):
    world = World.compile(load_maze("four_rooms"), actions=actions)
    shortest = distances(world)[world.start_states[0]]
    for name in ("breadth_first", "a_star"):
        solution = solve(name, world)
        assert (len(solution.path) - 1 if solution.solved else -1) == shortest


def test_maps_of_every_move_survive_the_environments(tmp_path):
    for actions, facing in (("turns", "left"), ("king", "up")):
        maze = load_maze("four_rooms").with_settings({"actions": actions, "facing": facing})
        envs = gymnasium.make_vec(GRID, num_envs=2, maze=maze, render_mode="rgb_array")
        envs.reset(seed=0)
        envs.step(np.zeros(2, dtype=np.int64))
        assert len(envs.render()) == 2 and STEP
