"""Ray actors: results are those of one process, whoever dies, and however often a run is stopped."""

import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import NamedTuple

import gymnasium
import numpy as np
import pytest

pytest.importorskip("ray")

from mazegrad import agents, distributed
from mazegrad.agents import RandomAgent, RecurrentPolicy, WallFollower, wall_follower_rnn
from mazegrad.cli import main
from mazegrad.distributed.journal import Journal
from mazegrad.envs import load_maze
from mazegrad.scores import read_results

pytestmark = pytest.mark.filterwarnings("default")  # Ray's own

FRESH, KEYWORDS = "mazegrad/Maze-v0", {"size": (3, 3), "slip": 0.1}


@pytest.fixture(scope="module", autouse=True)
def _cluster():
    """One cluster for all tests: to start one takes seconds."""
    with distributed.cluster(cpus=6) as ray:
        ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import this file
        yield


@pytest.fixture(scope="module")
def crew():
    with distributed.Actors(2) as actors:
        yield actors


def random_agent():
    return RandomAgent(np.random.default_rng(1))


class Deadly(WallFollower):
    """A wall follower that ends the process in which it acts, as often as there are files in a folder."""

    def __init__(self, folder):
        super().__init__()
        self.folder = folder

    def act(self, observation, state):
        for file in sorted(Path(self.folder).iterdir()):
            file.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().act(observation, state)


def equal(one, other):
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ("returns", "lengths", "successes"))


def local(agent, episodes, seed, num_envs, **more):
    env = gymnasium.make_vec(f"mazegrad:{FRESH}", num_envs=num_envs, **KEYWORDS)
    return agents.evaluate(env, agent, episodes, seed, **more)


@pytest.mark.parametrize("actors", [1, 2])
def test_evaluations_are_those_of_one_process(actors):
    found = distributed.evaluate(
        FRESH, random_agent(), 70, 5, keywords=KEYWORDS, num_envs=16, discount=0.9, actors=actors
    )
    assert equal(found, local(random_agent(), 70, 5, 16, discount=0.9))
    found.returns[0] = 3.0  # may be written to


def test_an_actor_that_dies_changes_nothing(tmp_path):
    (tmp_path / "1").touch(), (tmp_path / "2").touch()
    found = distributed.evaluate(FRESH, Deadly(tmp_path), 64, 5, keywords=KEYWORDS, num_envs=8)
    assert not list(tmp_path.iterdir())
    assert equal(found, local(WallFollower(), 64, 5, 8))


def test_a_piece_that_always_kills_ends_the_run(tmp_path):
    for name in "123456789":
        (tmp_path / name).touch()
    with pytest.raises(RuntimeError, match="has died 4 times at piece 0 of 1"):
        distributed.evaluate(FRESH, Deadly(tmp_path), 8, 5, keywords=KEYWORDS, num_envs=8, actors=1)


def test_rollouts_are_those_of_one_process(tmp_path, crew):
    how = {"keywords": KEYWORDS, "num_envs": 4, "max_steps": 30, "journal": tmp_path / "journal", "actors": crew}
    for _ in range(2):  # the second time from the journal
        played = distributed.rollout(FRESH, random_agent(), 6, 2, **how)
        agent, env = random_agent(), gymnasium.make_vec(f"mazegrad:{FRESH}", num_envs=4, **KEYWORDS)
        wanted = [one for seed in (2, 6) for one in agents.rollout(env, agent, seed=seed, max_steps=30)][:6]
        for one, other in zip(played, wanted, strict=True):
            assert np.array_equal(one.observations, other.observations)
            assert one.actions.tolist() == other.actions.tolist() and one.rewards.tolist() == other.rewards.tolist()
            assert one.states == other.states and one.terminated == other.terminated
            assert one.truncated == other.truncated


def test_several_observations_at_once_are_split_by_lane(tmp_path, crew):
    keywords = {"observation": ("dots", "view"), "time_limit": 9}
    how = {"keywords": keywords, "num_envs": 3, "journal": tmp_path / "journal", "actors": crew}
    for _ in range(2):  # the second time from the journal
        for lane, played in enumerate(distributed.rollout(FRESH, random_agent(), 3, 2, **how)):
            assert [seen["view"].shape for seen in played.observations] == [(7, 7)] * (len(played.actions) + 1)
            env = gymnasium.make(f"mazegrad:{FRESH}", **keywords)
            seen, _ = env.reset(seed=2 + lane)
            np.testing.assert_equal(played.observations[0], seen)
            for step, action in enumerate(played.actions.tolist()):
                np.testing.assert_equal(played.observations[step + 1], env.step(action)[0])


def test_agents_that_draw_as_they_act_are_made_for_each_block(crew):
    env = gymnasium.make_vec(f"mazegrad:{FRESH}", num_envs=8, **KEYWORDS)
    seen, actions = env.single_observation_space, env.single_action_space
    policy = RecurrentPolicy(seen, actions, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="function from a seed"):
        distributed.evaluate(FRESH, policy.sampling(np.random.default_rng(0)), 8, 0)

    def sampling(seed):
        return policy.sampling(np.random.default_rng(seed))

    found = distributed.evaluate(FRESH, sampling, 24, 3, keywords=KEYWORDS, num_envs=8, actors=crew)
    parts = [local(sampling(seed), 8, seed, 8) for seed in (3, 11, 19)]
    assert found.lengths.tolist() == [length for part in parts for length in part.lengths.tolist()]


@pytest.mark.parametrize("observation", ["dots", ("dots", "position")], ids=str)
def test_collected_lanes_are_what_stepping_meets(observation, tmp_path, crew):
    keywords = {**KEYWORDS, "observation": observation, "time_limit": 20}
    how = {"keywords": keywords, "num_envs": 4, "actors": crew}
    batches = list(distributed.collect(FRESH, random_agent(), 12, 50, 7, folder=tmp_path / "data", **how))
    assert len(batches) == 3
    agent = random_agent()
    for number, batch in enumerate(batches):
        env = gymnasium.make_vec(f"mazegrad:{FRESH}", num_envs=4, autoreset_mode="SameStep", **keywords)
        before, _ = env.reset(seed=7 + 4 * number)
        key, _ = agent.initial_state(4)
        after = batch.next_observations()
        for step in range(50):
            action, _ = agent.act(before, (key, step))
            seen, reward, terminated, truncated, info = env.step(action)
            over = terminated | truncated
            assert np.array_equal(batch.actions[step], action) and np.array_equal(batch.rewards[step], reward)
            assert np.array_equal(batch.terminated[step], terminated)
            assert np.array_equal(batch.truncated[step], truncated)
            names = observation if isinstance(observation, tuple) else [None]
            for name in names:

                def of(tree, name=name):
                    return tree if name is None else tree[name]

                assert np.array_equal(of(batch.observations)[step], of(before))
                for lane in range(4):
                    last = info["final_obs"][lane] if over[lane] else {n: of(seen)[lane] for n in [name]}
                    last = last[name] if isinstance(last, dict) else last
                    assert np.array_equal(of(after)[step, lane], last)
            before = seen
        assert batch.truncated.any()
    (tmp_path / "data" / "lanes-00000004.npz").unlink()
    again = list(distributed.collect(FRESH, random_agent(), 12, 50, 7, folder=tmp_path / "data", **how | {"actors": 1}))
    for one, other in zip(batches, again, strict=True):
        assert np.array_equal(one.actions, other.actions)
        assert np.array_equal(one.rewards, other.rewards)
    if observation == "dots":
        with pytest.raises(ValueError, match="of another agent"):
            list(distributed.collect(FRESH, WallFollower(), 12, 50, 7, folder=tmp_path / "data", **how))
        with pytest.raises(ValueError, match="another run"):
            distributed.collect(FRESH, random_agent(), 12, 60, 7, folder=tmp_path / "data", **how)


def test_agents_begin_anew_where_an_episode_ends(crew):
    """A heading is kept within an episode only: lanes that are over start with the first one."""
    how = {"keywords": {"time_limit": 3}, "num_envs": 2, "actors": crew}
    (batch,) = distributed.collect("mazegrad/FourRooms-v0", WallFollower(), 2, 9, 0, **how)
    assert batch.actions[:3].tolist() == batch.actions[3:6].tolist() == batch.actions[6:].tolist()


def test_a_run_that_failed_goes_on_from_its_journal(tmp_path, crew):
    class Fails(WallFollower):
        def act(self, observation, state):
            if (tmp_path / "file").stat().st_size > 3000:  # some blocks are done
                raise ArithmeticError("full")
            return super().act(observation, state)

    how = {"keywords": KEYWORDS, "num_envs": 8, "journal": tmp_path / "file", "actors": crew}
    with pytest.raises(ArithmeticError, match="full"):
        distributed.evaluate(FRESH, Fails(), 160, 5, **how)
    held = (tmp_path / "file").read_bytes()
    found = distributed.evaluate(FRESH, WallFollower(), 160, 5, **how)
    assert (tmp_path / "file").read_bytes().startswith(held)
    assert equal(found, local(WallFollower(), 160, 5, 8))
    with pytest.raises(ValueError, match="of another agent"):
        distributed.evaluate(FRESH, random_agent(), 160, 5, **how)
    with pytest.raises(ValueError, match="seed 5 instead of 6"):
        distributed.evaluate(FRESH, WallFollower(), 160, 6, **how)


def test_certificates_are_those_of_one_process(tmp_path):
    for _ in range(2):
        found = distributed.certify_memory(["four_rooms", "TMaze-v0"], time_limit=60, journal=tmp_path / "journal")
        assert list(found) == ["four_rooms", "TMaze-v0"]
        wanted = agents.certify_memory(load_maze("four_rooms"), time_limit=60)
        assert found["four_rooms"].to_json() == wanted.to_json()
        assert found["TMaze-v0"].faults() == []
    with pytest.raises(ValueError, match="shipped mazes"):
        distributed.certify_memory(["nowhere"])


@pytest.mark.parametrize("by", ["tasks", "actors"])
def test_pieces_of_ones_own_in_order_or_as_they_are_done(by, tmp_path, crew):
    actors = None if by == "tasks" else crew

    def power(base, exponent):
        time.sleep(0.2 if exponent == 0 else 0)
        return base**exponent

    for ahead in (1, 3, None):
        assert list(distributed.spread(power, 2, range(6), actors=actors, ahead=ahead)) == [1, 2, 4, 8, 16, 32]
    journal = Journal(tmp_path / "journal", {})
    for number in (1, 2, 3, 4):
        journal.write(number, 2**number)
    journal.close()
    journal = Journal(tmp_path / "journal", {})
    found = list(distributed.spread(power, 2, range(6), actors=actors, ahead=2, in_order=False, store=journal))
    assert sorted(found) == [1, 2, 4, 8, 16, 32] and found[-3:] == [4, 8, 16]
    journal.close()
    again = Journal(tmp_path / "journal", {})
    assert {number: again.read(number) for number in again.finished()} == {n: 2**n for n in range(6)}
    again.close()


class Heap(NamedTuple):
    large: np.ndarray
    rest: dict


@pytest.mark.parametrize("by", ["tasks", "actors"])
def test_results_of_any_shape_arrive_as_they_were_and_can_be_written_to(by, crew):
    def made(base, number):
        grid = np.full((300, 200), number, np.float32)
        small = (np.arange(number), "words", None, [np.full(70_000, number % 2 == 0)])
        return Heap(grid.T, {"wide": np.arange(9000) * base + number, "small": small})

    found = list(distributed.spread(made, 3, range(5), actors=None if by == "tasks" else crew))
    found[0].large[0] = 7  # its own, and nobody else's
    found[0].large[0] = 0
    for number, one in enumerate(found):
        np.testing.assert_equal(one, made(3, number))
        assert type(one) is Heap and one.large.dtype == np.float32 and one.large.flags.writeable


def test_a_killed_actor_changes_nothing_in_what_is_collected(tmp_path):
    how = {"keywords": KEYWORDS, "num_envs": 64}
    wanted = list(distributed.collect(FRESH, WallFollower(), 192, 300, 4, **how, actors=1))
    (tmp_path / "1").touch(), (tmp_path / "2").touch()
    found = list(distributed.collect(FRESH, Deadly(tmp_path), 192, 300, 4, **how, actors=2))
    assert not list(tmp_path.iterdir())
    np.testing.assert_equal(found, wanted)
    env = gymnasium.make_vec(f"mazegrad:{FRESH}", num_envs=64, autoreset_mode="SameStep", **KEYWORDS)
    seen, _ = env.reset(seed=68)
    for step, action in enumerate(found[1].actions):
        assert np.array_equal(found[1].observations[step], seen)
        seen, *rest, _ = env.step(action)
        for one, other in zip(found[1][2:5], rest, strict=True):
            assert np.array_equal(one[step], other)
    assert np.array_equal(found[1].observations[300], seen)


@pytest.mark.parametrize("engine", ["numpy", "torch"])
def test_keywords_reach_the_environments_of_actors(engine, crew):
    """Who moves the lanes changes nothing."""
    if engine == "torch":
        pytest.importorskip("array_api_compat")
    how = {"keywords": {"time_limit": 40, "engine": engine}, "num_envs": 8, "actors": crew}
    found = distributed.evaluate("mazegrad/FourRooms-v0", wall_follower_rnn(), 20, 5, **how)
    env = gymnasium.make_vec("mazegrad:mazegrad/FourRooms-v0", num_envs=8, time_limit=40)
    assert equal(found, agents.evaluate(env, wall_follower_rnn(), 20, 5))
    with pytest.raises(ValueError, match="unknown engine"):
        distributed.evaluate(FRESH, WallFollower(), 8, 5, keywords={"engine": "steam"}, num_envs=8, actors=crew)


def test_actors_stay_for_several_runs_and_after_an_error(crew):
    how = {"keywords": KEYWORDS, "num_envs": 8, "actors": crew}
    for agent in (WallFollower(), random_agent(), WallFollower()):
        found = distributed.evaluate(FRESH, agent, 32, 5, **how)
    assert equal(found, local(WallFollower(), 32, 5, 8))
    with pytest.raises(ValueError, match="unknown observation"):
        distributed.evaluate(FRESH, WallFollower(), 32, 5, **how | {"keywords": {"observation": "dotz"}})
    batches = distributed.collect(FRESH, WallFollower(), 80, 10, 0, **how)
    next(batches)
    batches.close()  # before its end
    assert equal(distributed.evaluate(FRESH, WallFollower(), 32, 5, **how), found)


def test_where_no_process_can_start_there_is_a_warning(monkeypatch):
    monkeypatch.setattr("mazegrad.distributed.spreading.PATIENCE", 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="no process has started in 1 seconds: has the cluster what each needs"):
            list(distributed.spread(pow, 2, [1], actors=1, options={"resources": {"nowhere": 1}}))


def test_wrong_arguments_are_refused():
    with pytest.raises(TypeError, match="not its class"):
        distributed.evaluate(FRESH, WallFollower, 8, 0)
    with pytest.raises(ValueError, match="actors"):
        distributed.evaluate(FRESH, WallFollower(), 8, 0, actors=0)
    with pytest.raises(ValueError, match="multiple of num_envs, 256"):
        distributed.collect(FRESH, WallFollower(), 8, 10, 0)
    with pytest.raises(TypeError, match="an id with its keywords"):
        distributed.evaluate(lambda n: None, WallFollower(), 8, 0, keywords={"size": 3})


def test_scores_are_those_of_this_machine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["scores", "--ids", "FourRooms-v0", "--learners", "sarsa", "q_learning", "--seeds", "2", "--steps", "2000"]
    words += ["--wide-seeds", "0"]
    main([*words, "--out", "one.md"]), main([*words, "--ray", "--out", "other.md"])
    one, other = (read_results(tmp_path / name) for name in ("one.jsonl", "other.jsonl"))
    assert one.keys() == other.keys() and len(one) > 3
    assert all(one[key].figures == other[key].figures for key in one)


ALONE = """
import sys
from mazegrad import distributed
from mazegrad.agents import WallFollower

with distributed.cluster():
    print("up", flush=True)
    distributed.evaluate("mazegrad/Maze-v0", WallFollower(), 200_000, 0, num_envs=64, journal=sys.argv[1])
"""


def descendants(pid):
    found = [pid]
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        found += descendants(int(child))
    return found


def listening(pids):
    """Return the addresses at which processes listen, as /proc/net writes them."""
    sockets = set()
    for pid in pids:
        for file in Path(f"/proc/{pid}/fd").iterdir():
            try:
                sockets.add(os.readlink(file))
            except OSError:
                continue
    rows = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    return {row[1].split(":")[0] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in sockets}


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="reads /proc")
def test_it_listens_on_loopback_alone_and_goes_on_after_ctrl_c(tmp_path):
    journal = tmp_path / "journal"
    run = subprocess.Popen(
        [sys.executable, "-c", ALONE, str(journal)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        assert run.stdout.readline() == "up\n"
        end = time.monotonic() + 100
        while not (journal.exists() and journal.read_bytes().count(b"\n") > 3) and time.monotonic() < end:
            time.sleep(0.1)
        found = listening(descendants(run.pid))
        loopback = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}
        assert found and found <= loopback
        os.killpg(run.pid, signal.SIGINT)  # what a terminal does
        assert "KeyboardInterrupt" in run.communicate(timeout=60)[1]
    finally:
        run.kill()
    blocks = journal.read_bytes().count(b"\n") - 1
    assert blocks >= 3
    found = distributed.evaluate("mazegrad/Maze-v0", WallFollower(), 192, 0, num_envs=64, journal=journal)
    env = gymnasium.make_vec("mazegrad/Maze-v0", num_envs=64)
    assert equal(found, agents.evaluate(env, WallFollower(), 192, 0))
