"""Replays: what was run runs again bit for bit, what differs is named, and no file does any harm."""

import dataclasses
import json

import gymnasium
import numpy as np
import pytest

import mazegrad  # noqa: F401 (registers the environments)
from mazegrad.envs import Maze, Replay, World, load_maze
from mazegrad.envs.replay import chained

from contract_child import IDS


def recorded(env_id="mazegrad/IceLake-v0", episodes=3, seed=5, **keywords):
    env = Replay.record(gymnasium.make(env_id, **keywords))
    rng = np.random.default_rng(0)
    for episode in range(episodes):
        env.reset(seed=seed if episode == 0 else None)
        for _ in range(40):
            if any(env.step(rng.integers(4))[2:4]):
                break
    env.close()
    return env.replay


@pytest.mark.parametrize("env_id", IDS)
@pytest.mark.parametrize("observation", ["dots", "view", "map"])
def test_what_was_recorded_runs_again(env_id, observation, tmp_path):
    replay = recorded(env_id, observation=observation, slip=0.25)
    assert len(replay.episodes) == 3
    replay.save(tmp_path / "walk.jsonl")
    again = Replay.load(tmp_path / "walk.jsonl")
    assert again == replay
    assert replay.verify() is None
    assert again.verify() is None


def test_a_world_with_general_noise_is_kept(tmp_path):
    """Its tables are in the file: rewards that its maze does not have, noise, a wind that varies."""
    world = World.compile(
        load_maze("four_rooms"), actions="king", noise={"other": 1 / 3}, wind=f"left 0 1 1{' 0' * 10} varies"
    )
    world = dataclasses.replace(world, reward=np.where(world.terminal[:, None], 0.0, 3 * world.reward - 0.5))
    replay = recorded("mazegrad/GridWorld-v0", maze=world)
    replay.save(tmp_path / "walk.jsonl")
    again = Replay.load(tmp_path / "walk.jsonl")
    assert world.noise.cases > 3 and again == replay and again.verify() is None
    other = dataclasses.replace(world, noise=None, next_state=world.meant, reward=world.reward[:, :8])
    path = tmp_path / "other.jsonl"
    recorded("mazegrad/GridWorld-v0", maze=other).save(path)
    path.write_text(
        "\n".join([path.read_text().split("\n")[0], *(tmp_path / "walk.jsonl").read_text().split("\n")[1:]])
    )
    assert Replay.load(path).verify() is not None


def test_seeds_options_and_keywords_are_kept(tmp_path):
    (tmp_path / "map.txt").write_text("S...G")
    keywords = {"slip": np.float64(0.5), "rewards": {"step": np.float32(-0.5)}, "observation": "pixels"}
    made = gymnasium.make(
        "mazegrad/GridWorld-v0",
        maze=str(tmp_path / "map.txt"),
        render_mode="rgb_array",
        max_episode_steps=7,
        **keywords,
    )
    env = Replay.record(made)
    env.reset()  # without a seed: it gets one
    env.step(1)
    env.reset(seed=2**64 - 1)
    env.reset(options={"maze": Maze.from_text("G.S.."), "start": np.array([0, 3])})
    for _ in range(7):
        truncated = env.step(np.int64(1))[3]
    assert truncated
    env.reset()
    replay = env.replay
    replay.save(tmp_path / "walk.jsonl")
    (tmp_path / "map.txt").unlink()
    again = Replay.load(tmp_path / "walk.jsonl")
    assert again.verify() is None
    assert [episode.seed for episode in again.episodes[1:]] == [2**64 - 1, None, None]
    assert isinstance(again.episodes[0].seed, int)
    assert again.episodes[2].options == {"maze": "G.S..\n", "start": [0, 3]}
    assert again.episodes[2].maze == Maze.from_text("G.S..").digest
    assert again.keywords["maze"] == "S...G\n"
    assert "render_mode" not in again.keywords


def test_the_first_step_that_differs_is_named():
    replay = recorded(seed=1, slip=0.0, observation="index", maze="four_rooms", env_id="mazegrad/GridWorld-v0")
    assert replay.verify() is None
    for number, episode in enumerate(replay.episodes):
        for step in range(len(episode.actions)):
            actions = list(episode.actions)
            actions[step] = 3 - actions[step]
            episodes = list(replay.episodes)
            episodes[number] = dataclasses.replace(episode, actions=actions)
            found = dataclasses.replace(replay, episodes=episodes).verify()
            if found is None:  # both actions may bump
                continue
            assert (found.episode, found.step) == (number, step + 1)
            assert str(found).startswith(f"episode {number}, step {step + 1}: the hash of observation, reward and ends")
    for changes, what in (
        ({"maze": "0" * 64}, "the maze is"),
        ({"hashes": ["0" * 16, *episode.hashes[1:]]}, "the obs"),
    ):
        found = dataclasses.replace(replay, episodes=[dataclasses.replace(replay.episodes[0], **changes)]).verify()
        assert (found.episode, found.step) == (0, 0)
        assert found.what.startswith(what)
    other = dataclasses.replace(replay, keywords={**replay.keywords, "rewards": {"step": -1}}).verify()
    assert (other.episode, other.step) == (0, 1)


def test_another_seed_differs():
    replay = recorded(episodes=1, seed=3)
    seeds = [dataclasses.replace(replay.episodes[0], seed=seed) for seed in range(4, 40)]
    found = [dataclasses.replace(replay, episodes=[episode]).verify() for episode in seeds]
    assert sum(difference is not None for difference in found) > 25


def test_the_hash_sees_bits_types_and_shapes():
    seen = [
        0, 1, True, 1.0, -1.0, 0.0, -0.0, np.float32(1), np.int8(1), np.zeros(2), np.zeros((1, 2)), np.zeros((2, 1)),
        np.zeros(2, np.float32), np.array([0.0, 5e-324]), (), (0,), (0, 1), ((0,), 1), {"a": 0}, {"b": 0}, "a", "",
    ]  # fmt: skip
    assert len({chained("", value) for value in seen}) == len(seen)
    assert chained("a", 1) != chained("b", 1)
    assert chained("", 1, 2.0, True) == chained("", np.int64(1), np.float64(2), np.True_)
    assert chained("", np.zeros((3, 4))) == chained("", np.zeros((4, 3)).T.copy()) == chained("", np.zeros((4, 3)).T)
    assert chained("", np.arange(3, dtype=">i4")) == chained("", np.arange(3, dtype="<i4"))
    assert chained("", {"a": 1, "b": 2}) == chained("", {"b": 2, "a": 1})
    with pytest.raises(TypeError, match="cannot hash a NoneType"):
        chained("", None)


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


BAD = [
    (1, {"format": "mazegrad replay 2"}, "this is not a replay, which begins with"),
    (1, {"id": "os:system"}, "is not one of this library's environments"),
    (1, {"id": "CartPole-v1"}, "is not one of this library's environments"),
    (1, {"id": "mazegrad/IceLak-v0"}, "did you mean 'mazegrad/IceLake-v0'"),
    (1, {"id": 3}, "id must be text, not 3"),
    (1, {"keywords": []}, "keywords must be an object"),
    (1, {"keywords": {"maze": "/etc/hostname"}}, "a maze as its text or shipped name"),
    (1, {"keywords": {"render_mode": "human"}}, "must not have render_mode"),
    (1, {"keywords": {"num_envs": 10**9}}, "must not have .* num_envs"),
    (1, {"more": 1}, "a line must be an object with exactly format, library, id, keywords"),
    (2, {"seed": None}, "seed must be an integer >= 0, not None"),
    (2, {"seed": True}, "seed must be an integer >= 0, not True"),
    (3, {"seed": -1}, "seed must be an integer >= 0 or null"),
    (3, {"seed": 1.5}, "seed must be an integer >= 0 or null"),
    (3, {"options": None}, "options must be an object"),
    (3, {"options": {"maze": "/etc/hostname"}}, "a maze as its text or shipped name"),
    (3, {"actions": [0, "1"]}, "actions must be integers >= 0"),
    (3, {"actions": [0, -1]}, "actions must be integers >= 0"),
    (3, {"hashes": []}, "one for the reset and one for each action"),
    (3, {"hashes": 7}, "hashes must be a list, not 7"),
    (3, {"maze": None}, "maze must be text, not None"),
]


@pytest.mark.parametrize(("number", "change", "message"), BAD)
def test_malformed_lines_are_named(number, change, message, tmp_path):
    path = tmp_path / "walk.jsonl"
    recorded().save(path)
    lines = lines_of(path)
    lines[number - 1].update(change)
    path.write_text("\n".join(map(json.dumps, lines)))
    with pytest.raises(ValueError, match=f"walk.jsonl, line {number}: .*{message}"):
        Replay.load(path)


@pytest.mark.parametrize(
    "text", ["", "\n", "{", "[]", "null", '{"format": NaN}', "[" * 100_000, "9" * 10_000, "\x00", "GIF89a"]
)
def test_other_files_are_refused(text, tmp_path):
    path = tmp_path / "walk.jsonl"
    path.write_text(text)
    with pytest.raises(ValueError, match="line 1: "):
        Replay.load(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="line 1: this is not JSON: the file was cut short, or is not a recorded run"):
        Replay.load(path)


def test_mutated_files_are_read_or_refused_and_never_more(tmp_path):
    path = tmp_path / "walk.jsonl"
    recorded(episodes=2).save(path)
    good = path.read_bytes()
    rng = np.random.default_rng(0)
    refused = differ = 0
    for _ in range(400):
        bad = bytearray(good)
        for place in rng.integers(len(bad), size=rng.integers(1, 4)).tolist():
            bad[place] = rng.integers(32, 127)
        path.write_bytes(bytes(bad))
        try:
            differ += Replay.load(path).verify() is not None
        except ValueError:
            refused += 1
    assert refused > 100
    assert differ > 100


@pytest.mark.parametrize(
    "changes",
    [
        {"keywords": {"maze": "ice_lake", "slipp": 1}},
        {"keywords": {"maze": "ice_lake", "slip": 7}},
        {"keywords": {"maze": "S?G\n"}},
        {"keywords": {"observation": "view", "view_size": 1_000_001}},
        {"id": "os:system"},
    ],
)
def test_an_environment_that_cannot_be_made_is_a_value_error(changes):
    with pytest.raises(ValueError, match=r"cannot be made with the keywords of this replay|is not one of this library"):
        dataclasses.replace(recorded(), **changes).verify()


def test_an_action_or_option_that_cannot_be_is_a_value_error():
    replay = recorded(episodes=1)
    for changes in ({"actions": [9] * len(replay.episodes[0].actions)}, {"options": {"begin": [0, 0]}}):
        with pytest.raises(ValueError, match="episode 0 of this replay cannot be run"):
            dataclasses.replace(replay, episodes=[dataclasses.replace(replay.episodes[0], **changes)]).verify()


def test_only_what_can_be_run_again_is_recorded():
    with pytest.raises(ValueError, match="without TransformReward"):
        Replay.record(
            gymnasium.wrappers.TransformReward(gymnasium.make("mazegrad/IceLake-v0"), lambda reward: 2 * reward)
        )
    with pytest.raises(ValueError, match="not one of this library's"):
        Replay.record(gymnasium.make("FrozenLake-v1"))
    with pytest.raises(ValueError, match=r"takes an environment made by gymnasium\.make"):
        Replay.record(gymnasium.make("mazegrad/IceLake-v0").unwrapped.__class__())
    with pytest.raises(ValueError, match=r"check=.* cannot be recorded"):
        Replay.record(gymnasium.make("mazegrad/GridWorld-v0", check=print))
    late = gymnasium.make("mazegrad/IceLake-v0")
    late.reset()
    with pytest.raises(gymnasium.error.ResetNeeded, match="the recorder's reset"):
        Replay.record(late).step(0)
    refused = Replay.record(gymnasium.make("mazegrad/IceLake-v0"))
    with pytest.raises(ValueError, match="unknown option"):
        refused.reset(options={"strat": (0, 0)})
    refused.reset(seed=0)
    with pytest.raises(ValueError, match="an action is"):
        refused.step(4)
    assert [len(episode.actions) for episode in refused.replay.episodes] == [0]


def test_recording_changes_nothing():
    plain, watched = gymnasium.make("mazegrad/IceLake-v0"), Replay.record(gymnasium.make("mazegrad/IceLake-v0"))
    for env in (plain, watched):
        env.action_space.seed(0)
    for seed in (4, None):
        assert np.array_equal(plain.reset(seed=seed)[0], watched.reset(seed=seed)[0])
        for action in (1, 3, 1, 2):
            one, other = plain.step(action), watched.step(action)
            assert np.array_equal(one[0], other[0])
            assert one[1:] == other[1:]
