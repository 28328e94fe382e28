"""Transformers have PyTorch's weights, numbers, gradients and masks, and write with a cache what they would without."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from mazegrad import nn
from mazegrad.nn import functional

DOUBLE = {"dtype": np.float64}


def random(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def t() -> Any:
    return pytest.importorskip("torch", reason='comparison with PyTorch needs pip install "mazegrad[parity]"')


def twin(theirs: Any, ours: nn.Module) -> None:
    """Give PyTorch's module our weights: names and shapes must be the same."""
    theirs.load_state_dict({name: t().tensor(array) for name, array in ours.state_dict().items()})


def assert_alike(ours: Any, theirs: Any, arrays: list[np.ndarray], call: Any, rtol: float = 1e-9) -> None:
    """The same outputs, and the same gradients of inputs and weights."""
    torch = t()
    twin(theirs, ours)
    mine = [nn.Tensor(a, requires_grad=True) for a in arrays]
    other = [torch.tensor(a, requires_grad=True) for a in arrays]
    outs, expected = call(ours, *mine), call(theirs, *other)
    weights = np.random.default_rng(9).normal(size=outs.shape)
    np.testing.assert_allclose(outs.data, expected.detach().numpy(), rtol=rtol, atol=1e-10)
    outs.backward(weights)
    expected.backward(torch.tensor(weights))
    for a, b in zip(mine, other, strict=True):
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=rtol, atol=1e-10)
    named = dict(theirs.named_parameters())
    for name, parameter in ours.named_parameters():
        np.testing.assert_allclose(parameter.grad, named[name].grad.numpy(), rtol=rtol, atol=1e-10, err_msg=name)


# ------------------------------------------------------------------------------------- scaled dot products, at length
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("shape", [(2, 3, 300, 700, 8), (40, 1, 30, 30, 4), (1, 1, 3, 70_000, 2), (300, 2, 1, 50, 4)])
def test_long_and_many_sequences_are_those_of_torch(shape: tuple[int, ...], causal: bool) -> None:
    torch = t()
    batch, heads, queries, keys, size = shape
    arrays = [random(batch, heads, n, size, seed=i) for i, n in enumerate((queries, keys, keys))]
    mine = [nn.Tensor(a, requires_grad=True) for a in arrays]
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    out = nn.scaled_dot_product_attention(*mine, is_causal=causal)
    expected = torch.nn.functional.scaled_dot_product_attention(*theirs, is_causal=causal)
    np.testing.assert_allclose(out.data, expected.detach().numpy(), atol=1e-12)
    out.square().sum().backward()
    expected.square().sum().backward()
    for a, b in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(a.grad, b.grad.numpy(), atol=1e-10)


@pytest.mark.parametrize("shape", [(), (90,), (70, 1), (3, 1, 1), (2, 1, 70, 90), (2, 3, 1, 1), (1, 3, 1, 90)])
@pytest.mark.parametrize("kind", ["bool", "float"])
def test_masks_of_every_shape_are_broadcast(shape: tuple[int, ...], kind: str) -> None:
    """A mask may lack any axes, or have 1 there, and give the same as when it is written out."""
    mask = np.asarray(random(*shape, seed=4))
    mask = mask > -0.5 if kind == "bool" else mask
    arrays = [random(2, 3, n, 4, seed=i) for i, n in enumerate((70, 90, 90))]
    out = nn.scaled_dot_product_attention(*arrays, mask)
    whole = np.broadcast_to(mask, (2, 3, 70, 90)).copy()
    np.testing.assert_array_equal(out, nn.scaled_dot_product_attention(*arrays, whole))


def test_numbers_that_are_added_to_the_scores_are_differentiated() -> None:
    def biased(query: Any, key: Any, value: Any, bias: Any) -> Any:
        return nn.scaled_dot_product_attention(query, key, value, bias, is_causal=True)

    rng = np.random.default_rng(0)
    for shape in ((5, 6), (3, 1, 1), (2, 1, 5, 6), (6,)):
        arrays = random(2, 3, 5, 4), random(2, 3, 6, 4, seed=1), random(2, 3, 6, 2, seed=2), random(*shape, seed=3)
        nn.gradcheck(biased, *arrays, rng=rng)


def test_one_head_of_keys_may_serve_several_of_queries() -> None:
    torch = t()
    query, key, value = random(2, 6, 5, 4), random(2, 3, 7, 4, seed=1), random(2, 3, 7, 2, seed=2)
    for mask in (None, random(5, 7) > 0, random(2, 6, 5, 7) > 0, random(2, 1, 5, 7)):
        out = nn.scaled_dot_product_attention(query, key, value, mask, enable_gqa=True)
        theirs = (torch.tensor(x) for x in (query, key, value))
        expected = torch.nn.functional.scaled_dot_product_attention(
            *theirs, None if mask is None else torch.tensor(mask), enable_gqa=True
        )
        np.testing.assert_allclose(out, expected.numpy(), atol=1e-12)
    with pytest.raises(ValueError, match="divide the queries'"):
        nn.scaled_dot_product_attention(random(5, 2, 4), random(2, 3, 4), random(2, 3, 4), enable_gqa=True)


# ----------------------------------------------------------------------------------------------- several heads at once
SETTINGS = [
    {},
    {"bias": False},
    {"batch_first": True},
    {"kdim": 5, "vdim": 7},
    {"kdim": 5, "vdim": 7, "bias": False, "batch_first": True},
    {"add_bias_kv": True},
    {"add_zero_attn": True, "batch_first": True},
    {"add_bias_kv": True, "add_zero_attn": True},
]


@pytest.mark.parametrize("masks", ["none", "bool", "float", "per head", "mixed"])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_multihead_attention_is_that_of_torch(settings: dict[str, Any], masks: str) -> None:
    torch = t()
    rng = np.random.default_rng(0)
    ours = nn.MultiheadAttention(8, 2, **settings, rng=rng, **DOUBLE)
    ours.load_state_dict({name: rng.normal(size=array.shape) for name, array in ours.state_dict().items()})
    theirs = torch.nn.MultiheadAttention(8, 2, **settings, dtype=torch.float64)
    shapes = (4, 3, 8), (6, 3, ours.kdim), (6, 3, ours.vdim)
    arrays = [random(*((s[1], s[0], s[2]) if ours.batch_first else s), seed=i) for i, s in enumerate(shapes)]
    attn_mask: Any = None
    padding: Any = None
    if masks != "none":
        attn_mask = random(4, 6) > 0.8
        padding = np.arange(6) >= np.array([6, 3, 5])[:, None]
    if masks == "float":
        attn_mask, padding = random(4, 6), np.where(padding, -np.inf, 0)
    if masks == "per head":
        attn_mask = random(6, 4, 6) > 0.8
    if masks == "mixed":
        padding = np.where(padding, -np.inf, 0)

    def call(module: Any, query: Any, key: Any, value: Any) -> Any:
        kind = np.asarray if module is ours else lambda x: None if x is None else torch.tensor(x)
        given = [None if mask is None else kind(mask) for mask in (attn_mask, padding)]
        if masks == "mixed" and module is theirs:  # PyTorch warns of masks of two kinds
            given[0] = torch.zeros(4, 6, dtype=torch.float64).masked_fill(given[0], -torch.inf)
        out, weights = module(query, key, value, attn_mask=given[0], key_padding_mask=given[1])
        each = module(query, key, value, attn_mask=given[0], key_padding_mask=given[1], average_attn_weights=False)
        fewer = module(query, key, value, attn_mask=given[0], key_padding_mask=given[1], need_weights=False)
        assert fewer[1] is None
        return out.sum() + fewer[0].sum() + (weights * weights).sum() + (each[1] * each[1] * each[1]).sum()

    assert_alike(ours, theirs, arrays, call)


@pytest.mark.parametrize("alike", ["all", "key and value", "none"])
@pytest.mark.parametrize("batch", [True, False])
def test_self_attention_cross_attention_and_no_batch(alike: str, batch: bool) -> None:
    torch = t()
    ours = nn.MultiheadAttention(6, 3, rng=np.random.default_rng(0), **DOUBLE)
    theirs = torch.nn.MultiheadAttention(6, 3, dtype=torch.float64)
    shape = (5, 2, 6) if batch else (5, 6)
    count = {"all": 1, "key and value": 2, "none": 3}[alike]

    def call(module: Any, *given: Any) -> Any:
        out, weights = module(*given, *[given[-1]] * (3 - len(given)))
        assert tuple(weights.shape) == ((2, 5, 5) if batch else (5, 5))
        return out

    assert_alike(ours, theirs, [random(*shape, seed=i) for i in range(count)], call)


def test_is_causal_needs_no_mask() -> None:
    ours = nn.MultiheadAttention(6, 3, rng=np.random.default_rng(0))
    x = random(5, 2, 6).astype(np.float32)
    mask = nn.Transformer.generate_square_subsequent_mask(5)
    assert mask.tolist() == t().nn.Transformer.generate_square_subsequent_mask(5).tolist()
    out, weights = ours(x, x, x, is_causal=True)
    for other in (ours(x, x, x, attn_mask=mask), ours(x, x, x, attn_mask=mask, is_causal=True)):
        np.testing.assert_allclose(out.data, other[0].data, atol=1e-6)
    assert (weights.data == np.tril(weights.data)).all()


def test_weights_begin_as_in_torch() -> None:
    torch = t()
    torch.manual_seed(0)
    ours = nn.MultiheadAttention(600, 3, add_bias_kv=True, rng=np.random.default_rng(0))
    theirs = dict(torch.nn.MultiheadAttention(600, 3, add_bias_kv=True).named_parameters())
    for name, parameter in ours.named_parameters():
        spread = theirs[name].detach().numpy().std()
        assert parameter.data.std() == pytest.approx(spread, rel=0.15 if parameter.size < 1000 else 0.02), name


# -------------------------------------------------------------------------------------------------- blocks and stacks
@pytest.mark.parametrize("activation", ["relu", "gelu", nn.functional.softmax])
@pytest.mark.parametrize(("norm_first", "batch_first", "bias"), [*itertools.product([False, True], repeat=3)])
def test_blocks_are_those_of_torch(norm_first: bool, batch_first: bool, bias: bool, activation: Any) -> None:
    torch = t()
    settings = {"norm_first": norm_first, "batch_first": batch_first, "bias": bias}
    theirs_activation = activation if isinstance(activation, str) else lambda x: torch.softmax(x, -1)
    rng = np.random.default_rng(0)
    encoder = nn.TransformerEncoderLayer(8, 2, 12, 0.0, activation, **settings, rng=rng, **DOUBLE)
    decoder = nn.TransformerDecoderLayer(8, 2, 12, 0.0, activation, **settings, rng=rng, **DOUBLE)
    their_encoder = torch.nn.TransformerEncoderLayer(8, 2, 12, 0.0, theirs_activation, **settings, dtype=torch.float64)
    their_decoder = torch.nn.TransformerDecoderLayer(8, 2, 12, 0.0, theirs_activation, **settings, dtype=torch.float64)
    shape = (2, 5, 8) if batch_first else (5, 2, 8)
    mask = nn.Transformer.generate_square_subsequent_mask(5, dtype=np.float64)
    padding = np.array([[False] * 5, [False] * 3 + [True] * 2])

    def encode(module: Any, x: Any) -> Any:
        kind = torch.tensor if module is their_encoder else np.asarray
        return module(x, kind(mask), kind(np.where(padding, -np.inf, 0)), is_causal=True)

    assert_alike(encoder, their_encoder, [random(*shape)], encode)

    def decode(module: Any, x: Any, memory: Any) -> Any:
        kind = torch.tensor if module is their_decoder else np.asarray
        return module(x, memory, kind(mask), tgt_is_causal=True, memory_key_padding_mask=kind(padding))

    assert_alike(decoder, their_decoder, [random(*shape), random(*shape, seed=1)], decode)


def test_the_whole_transformer_is_that_of_torch() -> None:
    torch = t()
    settings = {"batch_first": True, "bias": True}  # PyTorch warns of others, for they are slower there
    ours = nn.Transformer(8, 2, 2, 3, 12, 0.0, **settings, rng=np.random.default_rng(0), **DOUBLE)
    theirs = torch.nn.Transformer(8, 2, 2, 3, 12, 0.0, **settings, dtype=torch.float64)
    mask = ours.generate_square_subsequent_mask(4, dtype=np.float64)

    def call(module: Any, src: Any, tgt: Any) -> Any:
        return module(src, tgt, tgt_mask=mask if module is ours else torch.tensor(mask))

    assert_alike(ours, theirs, [random(2, 6, 8), random(2, 4, 8, seed=1)], call)
    own = nn.Transformer(8, 2, custom_encoder=ours.encoder, custom_decoder=ours.decoder)
    assert own.encoder is ours.encoder
    assert own.decoder is ours.decoder


def test_layers_of_a_stack_begin_alike_and_drop_differently() -> None:
    rng = np.random.default_rng(0)
    layer = nn.TransformerEncoderLayer(8, 2, 12, 0.5, rng=rng)
    stack = nn.TransformerEncoder(layer, 3, nn.LayerNorm(8), enable_nested_tensor=False)
    first, *others = stack.layers
    for other in others:
        for (name, a), b in zip(first.named_parameters(), other.parameters(), strict=True):
            assert a is not b
            np.testing.assert_array_equal(a.data, b.data, err_msg=name)
    x = random(5, 2, 8).astype(np.float32)
    assert (first(x).data != others[0](x).data).any()  # one generator, from which they draw in turn
    stack.eval()
    np.testing.assert_array_equal(first(x).data, others[0](x).data)


def test_dropout_is_for_training_only() -> None:
    net = nn.Transformer(8, 2, 1, 1, 12, rng=np.random.default_rng(0))
    src, tgt = random(5, 2, 8).astype(np.float32), random(4, 2, 8, seed=1).astype(np.float32)
    assert (net(src, tgt).data != net(src, tgt).data).any()
    net.eval()
    np.testing.assert_array_equal(net(src, tgt).data, net(src, tgt).data)


# ----------------------------------------------------------------------------------------------------------- positions
def test_sinusoidal_positions_are_the_papers() -> None:
    table = nn.sinusoidal_positions(50, 8, dtype=np.float64)
    for position, i in itertools.product(range(50), range(4)):
        angle = position / 10_000 ** (2 * i / 8)
        np.testing.assert_allclose(table[position, 2 * i : 2 * i + 2], [np.sin(angle), np.cos(angle)], atol=1e-12)
    assert nn.sinusoidal_positions(3, 5).shape == (3, 5)
    np.testing.assert_array_equal(nn.sinusoidal_positions(10, 8, start=40), table[40:].astype(np.float32))


def test_sinusoidal_positions_are_added_along_the_sequence() -> None:
    x, table = random(5, 2, 6), nn.sinusoidal_positions(5, 6, dtype=np.float64)
    out = nn.SinusoidalPositions()(nn.Tensor(x))
    np.testing.assert_array_equal(out.data, x + table[:, None])
    first = nn.SinusoidalPositions(batch_first=True)
    np.testing.assert_array_equal(first(x.transpose(1, 0, 2)), (x + table[:, None]).transpose(1, 0, 2))
    np.testing.assert_array_equal(first(x[3:, 0], start=3), (x + table[:, None])[3:, 0])
    with pytest.raises(ValueError, match=r"not \(6,\)"):
        first(x[0, 0])


def test_rotary_positions_make_scores_depend_on_the_distance_alone() -> None:
    query, key = random(1, 6), random(1, 6, seed=1)
    scores = np.array(
        [
            [(nn.rotary_positions(query, [i]) * nn.rotary_positions(key, [j])).sum() for j in range(0, 90, 10)]
            for i in range(0, 90, 10)
        ]
    )
    for offset in range(-8, 9):
        np.testing.assert_allclose(np.diff(scores.diagonal(offset)), 0, atol=1e-10)
    assert np.unique(scores.round(9)).size == 17
    turned = nn.rotary_positions(random(3, 7, 6))
    np.testing.assert_allclose(np.linalg.norm(turned, axis=-1), np.linalg.norm(random(3, 7, 6), axis=-1))
    np.testing.assert_allclose(turned[1, 2, :2], rotated(random(3, 7, 6)[1, 2, :2], 2))


def rotated(pair: np.ndarray, angle: float) -> list[float]:
    number = complex(*pair) * np.exp(1j * angle)
    return [number.real, number.imag]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: nn.rotary_positions(random(4, 5)), ValueError, r"even size, not \(4, 5\)"),
        (lambda: nn.rotary_positions(random(4, 6), [0.5]), TypeError, "positions are integers, not float64"),
        (lambda: nn.rotary_positions(random(4, 6), [1, 2]), ValueError, r"shape \(2,\) do not fit x of \(4, 6\)"),
        (lambda: nn.rotary_positions(random(4, 6), base=0), ValueError, "base is 0"),
        (lambda: nn.MultiheadAttention(6, 2, rotary=10_000), ValueError, "even size, not 3"),
        (lambda: nn.MultiheadAttention(6, 4), ValueError, "embed_dim is 6; expected a multiple of num_heads, 4"),
        (lambda: nn.MultiheadAttention(6, 0), ValueError, "num_heads is 0"),
        (lambda: nn.MultiheadAttention(6, 2, 1.0), ValueError, "dropout is 1.0"),
        (lambda: heads()(*[random(4, 2, 5)] * 3), ValueError, r"query \(length, batch, 6\).* got query \(4, 2, 5\)"),
        (lambda: heads()(random(4, 2, 6), *[random(4, 3, 6)] * 2), ValueError, r"got .*\(4, 3, 6\)"),
        (lambda: heads()(random(4, 6), *[random(4, 1, 6)] * 2), ValueError, "or all without the batch"),
        (lambda: heads(attn_mask=np.ones((2, 4, 4), bool)), ValueError, r"expected \(queries, keys\) or \(6, queries"),
        (lambda: heads(attn_mask=np.ones((4, 5), bool)), ValueError, r"mask of shape .*4, 5\) does not fit"),
        (lambda: heads(attn_mask=np.ones((4, 4), int)), TypeError, "attn_mask holds booleans"),
        (lambda: heads(key_padding_mask=np.ones((4, 2), bool)), ValueError, r"expected \(2, keys\), a row for each"),
        (lambda: heads(key_padding_mask=np.ones((2, 4), int)), TypeError, "key_padding_mask holds booleans"),
        (lambda: nn.TransformerEncoderLayer(6, 2, activation="tanh"), ValueError, "'relu', 'gelu' or a function"),
        (lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(6, 2), 0), ValueError, "num_layers is 0"),
    ],
)
def test_errors_name_what_was_given_and_what_is_wanted(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


def heads(**masks: Any) -> Any:
    """Attention of 3 heads; with masks, what it says to them."""
    attention = nn.MultiheadAttention(6, 3, rng=np.random.default_rng(0), **DOUBLE)
    return attention(*[random(4, 2, 6)] * 3, **masks) if masks else attention


# ------------------------------------------------------------------------------------------------------------- caches
@pytest.mark.parametrize("rotary", [None, 10_000.0])
@pytest.mark.parametrize("batch_first", [False, True])
@nn.no_grad()
def test_writing_with_a_cache_is_reading_without(batch_first: bool, rotary: float | None) -> None:
    """Letter by letter, or a few at a time, the outputs are those of the whole sequence."""
    layer = nn.TransformerEncoderLayer(
        8, 2, 12, batch_first=batch_first, rotary=rotary, rng=np.random.default_rng(0), **DOUBLE
    )
    net = nn.TransformerEncoder(layer, 3).eval()
    x = nn.Tensor(random(3, 11, 8))
    whole = net(x if batch_first else x.transpose(1, 0, 2), is_causal=True)
    whole = whole if batch_first else whole.transpose(1, 0, 2)
    for cuts in ([1] * 11, [4, 1, 6], [11]):
        cache, parts, at = net.new_cache(), [], 0
        for count in cuts:
            part = x[:, at : at + count]
            out = net(part if batch_first else part.transpose(1, 0, 2), is_causal=True, cache=cache)
            parts.append(out.data if batch_first else out.data.transpose(1, 0, 2))
            at += count
        np.testing.assert_allclose(np.concatenate(parts, 1), whole.data, atol=1e-12)
        assert {kept.length for kept in cache} == {kept.position for kept in cache} == {11}


@nn.no_grad()
def test_a_decoder_writes_with_a_cache() -> None:
    layer = nn.TransformerDecoderLayer(8, 2, 12, rng=np.random.default_rng(0), **DOUBLE)
    net = nn.TransformerDecoder(layer, 2, nn.LayerNorm(8, **DOUBLE)).eval()
    tgt, memory = nn.Tensor(random(7, 3, 8)), nn.Tensor(random(5, 3, 8, seed=1))
    whole, cache = net(tgt, memory, tgt_is_causal=True).data, net.new_cache()
    parts = [net(tgt[i : i + 1], memory, tgt_is_causal=True, cache=cache).data for i in range(7)]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-12)


@nn.no_grad()
def test_a_cache_can_be_reordered_and_shortened() -> None:
    attention = nn.MultiheadAttention(8, 2, batch_first=True, rotary=100.0, rng=np.random.default_rng(0), **DOUBLE)
    x, order = random(3, 6, 8), [2, 0, 0]

    def ask(part: np.ndarray, cache: nn.KeyValueCache) -> np.ndarray:
        return attention(part, part, part, is_causal=True, cache=cache)[0].data

    cache, other = nn.KeyValueCache(), nn.KeyValueCache()
    ask(x[:, :5], cache)
    cache.select(order)
    ask(x[order, :5], other)
    np.testing.assert_allclose(ask(x[order, 5:], cache), ask(x[order, 5:], other), atol=1e-12)
    cache.keep(2)
    assert (cache.length, cache.position) == (2, 6)
    fresh = nn.KeyValueCache()  # what is kept is as if there had been no more: rotary positions are relative
    ask(x[order, 4:], fresh)
    np.testing.assert_allclose(ask(x[order, :1], cache), ask(x[order, :1], fresh), atol=1e-12)


def test_a_cache_says_what_it_is_not_for() -> None:
    attention = nn.MultiheadAttention(8, 2, rng=np.random.default_rng(0), **DOUBLE)
    x = random(4, 2, 8)
    with pytest.raises(RuntimeError, match="within no_grad"):
        attention(x, x, x, cache=nn.KeyValueCache())
    with nn.no_grad():
        cache = nn.KeyValueCache()
        attention(x, x, x, cache=cache)
        with pytest.raises(ValueError, match=r"takes \(2, 2, new, 4\), not \(1, 2, 4, 4\)"):
            attention(x[:, :1], x[:, :1], x[:, :1], cache=cache)
        net = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, rng=np.random.default_rng(0)), 2)
        with pytest.raises(ValueError, match="1 caches for 2 layers"):
            net(x.astype(np.float32), cache=[cache])


def test_what_is_learned_can_be_saved() -> None:
    net = nn.Transformer(8, 2, 1, 1, 12, rng=np.random.default_rng(0))
    other = nn.Transformer(8, 2, 1, 1, 12, rng=np.random.default_rng(1))
    other.load_state_dict(net.state_dict())
    x = random(5, 2, 8).astype(np.float32)
    np.testing.assert_array_equal(net.eval()(x, x).data, other.eval()(x, x).data)
    assert "rotary" in repr(nn.MultiheadAttention(8, 2, rotary=100.0))
    assert functional.scaled_dot_product_attention is nn.scaled_dot_product_attention
