"""Nets that translate: an encoder reads the source, a decoder writes the target and attends to what was read.

`Translator` is recurrent, `AttentiveTranslator` a transformer. Both have the same four methods:

    memory, state = net.encode(source, lengths)             # source (S, batch), padded with PAD
    logits, state = net.decode(target, memory, state)       # target (T, batch) -> (batch, T, tokens)
    weights = net.attended(target, source, lengths)         # (batch, T, S): where each step of the target looked
    loss = net.loss((source, lengths, target), smoothing)

`memory.taken(rows)` and `state.taken(rows)` are those of other rows of the batch, for a beam search.
"""

import argparse
from typing import Any, NamedTuple

import numpy as np

from mazegrad import nn

PAD, END = 0, 1  # the first tokens of both vocabularies
HEAD = 32  # numbers in each head of a transformer


class Net(nn.Module):
    """What both share: embeddings of both vocabularies, and the loss. One matrix embeds and predicts target tokens."""

    encode: Any
    decode: Any
    attended: Any

    def _embed(self, sources: int, targets: int, size: int, dropout: float, rng: np.random.Generator) -> None:
        self.source, self.target = nn.Embedding(sources, size, rng=rng), nn.Embedding(targets, size, rng=rng)
        self.level = nn.Parameter(np.zeros(targets, np.float32))
        self.dropout = nn.Dropout(dropout, rng=rng)
        for embedding in (self.source, self.target):
            embedding.weight.assign(embedding.weight.data / np.sqrt(size))

    def embedded(self, embedding: nn.Embedding, numbers: np.ndarray) -> Any:
        """Return the embeddings of integers (T, batch), (T, batch, size)."""
        return self.dropout(embedding(numbers) * np.sqrt(embedding.weight.shape[1]))

    def loss(self, batch: tuple[Any, Any, Any], smoothing: float) -> nn.Tensor:
        """Return the mean cross entropy of a token, given those before it (teacher forcing)."""
        source, lengths, target = batch
        logits, _ = self.decode(target[:-1], *self.encode(source, lengths))
        flat = logits.reshape(-1, logits.shape[-1])
        loss: nn.Tensor = nn.cross_entropy(flat, target[1:].T.ravel(), ignore_index=PAD, label_smoothing=smoothing)
        return loss


# ----------------------------------------------------------------------------------------------------------- recurrent
class Memory(NamedTuple):
    """What the decoder attends to: keys and values (batch, S, size), and which are not padding, (batch, 1, S)."""

    keys: Any
    values: Any
    there: np.ndarray

    def taken(self, rows: np.ndarray) -> "Memory":
        """Return the memory of these rows of the batch."""
        return Memory(self.keys[rows], self.values[rows], self.there[rows])


class State(NamedTuple):
    """The decoder's LSTM state, (1, batch, hidden) both."""

    h: Any
    c: Any

    def taken(self, rows: np.ndarray) -> "State":
        """Return the state of these rows of the batch, without a graph."""
        return State(self.h.data[:, rows], self.c.data[:, rows])


class Translator(Net):
    """Encoder, decoder and attention between them (Luong, Pham & Manning 2015, "global" attention).

    The result of attention is not fed into the next step, so that the decoder runs over a whole target as one fused
    sequence, and all of its steps attend to the encoder at once. The values include the embeddings of the source, so
    that a rare word can be looked up (Nguyen & Chiang 2018). One matrix embeds and predicts target tokens (Press &
    Wolf 2017).
    """

    def __init__(self, sources: int, targets: int, settings: argparse.Namespace, rng: np.random.Generator) -> None:
        size, hidden = settings.embedding, settings.hidden
        self._embed(sources, targets, size, settings.dropout, rng)
        self.encoder = nn.LSTM(size, hidden // 2, bidirectional=True, rng=rng)
        self.decoder = nn.LSTM(size, hidden, rng=rng)
        self.bridge = nn.Linear(hidden, hidden, rng=rng)  # the encoder's last states -> the decoder's first
        self.key = nn.Linear(hidden, hidden, bias=False, rng=rng)
        self.attention = nn.Attention(rng=rng)
        self.mix = nn.Linear(2 * hidden + size, size, rng=rng)

    def encode(self, source: np.ndarray, lengths: np.ndarray) -> tuple[Memory, State]:
        """Return the memory of sources (S, batch) and their lengths, and the decoder's first state."""
        read = self.embedded(self.source, source)
        states, (last, _) = self.encoder(read, lengths=lengths)
        states, read = self.dropout(states).transpose(1, 0, 2), read.transpose(1, 0, 2)
        h = self.bridge(nn.concatenate([last[0], last[1]], -1)).tanh().reshape(1, len(lengths), -1)
        there = np.arange(len(source)) < lengths[:, None, None]
        return Memory(self.key(states), nn.concatenate([states, read], -1), there), State(h, h * 0)

    def decode(self, target: np.ndarray, memory: Memory, state: State) -> tuple[Any, State]:
        """Return logits of the next token at each of the targets (T, batch), (batch, T, tokens), and the state."""
        logits, state, _ = self._decode(target, memory, state)
        return logits, state

    def attended(self, target: np.ndarray, source: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Return the weights of the sources at each step of the targets, (batch, T, S)."""
        weights: np.ndarray = self._decode(target, *self.encode(source, lengths))[2].data
        return weights

    def _decode(self, target: np.ndarray, memory: Memory, state: State) -> tuple[Any, State, Any]:
        states, last = self.decoder(self.embedded(self.target, target), tuple(state))
        queries = self.dropout(states).transpose(1, 0, 2)
        found, weights = self.attention(queries, memory.keys, memory.values, memory.there, need_weights=True)
        mixed = self.dropout(self.mix(nn.concatenate([queries, found], -1)).tanh())
        return nn.linear(mixed, self.target.weight, self.level), State(*last), weights


# --------------------------------------------------------------------------------------------------------- transformer
class Reading(NamedTuple):
    """What a transformer's decoder attends to: vectors (batch, S, size), and which are padding, (batch, S)."""

    vectors: Any
    padding: np.ndarray

    def taken(self, rows: np.ndarray) -> "Reading":
        """Return the memory of these rows of the batch."""
        return Reading(self.vectors[rows], self.padding[rows])


class Caches(NamedTuple):
    """Keys and values of what a transformer has written so far, one cache for each of the decoder's blocks."""

    each: list[nn.KeyValueCache]

    def taken(self, rows: np.ndarray) -> "Caches":
        """Keep these rows of the batch."""
        for cache in self.each:
            cache.select(rows)
        return self


class AttentiveTranslator(Net):
    """A transformer (Vaswani et al. 2017) that normalises what its blocks read (Xiong et al. 2020).

    All steps of a batch of targets are computed at once in training; while it writes, keys and values of the tokens so
    far are kept, so that a new token is one step. Settings: `hidden`, the numbers of each token, a multiple of 32 (the
    size of a head); `layers`, the blocks of encoder and decoder each; `dropout`.
    """

    def __init__(self, sources: int, targets: int, settings: argparse.Namespace, rng: np.random.Generator) -> None:
        size = settings.hidden
        self._embed(sources, targets, size, settings.dropout, rng)
        self.positions = nn.SinusoidalPositions(batch_first=True)
        self.transformer = nn.Transformer(
            size,
            size // HEAD,
            settings.layers,
            settings.layers,
            4 * size,
            settings.dropout,
            batch_first=True,
            norm_first=True,
            rng=rng,
        )

    def _placed(self, embedding: nn.Embedding, numbers: np.ndarray, start: int = 0) -> Any:
        """Return embeddings and positions, (batch, T, size); the first position is `start`."""
        return self.positions(self.embedded(embedding, numbers).transpose(1, 0, 2), start)

    def encode(self, source: np.ndarray, lengths: np.ndarray) -> tuple[Reading, Caches | None]:
        """Return the memory of sources (S, batch) and their lengths, and empty caches; None in training."""
        padding = np.arange(len(source)) >= lengths[:, None]
        vectors = self.transformer.encoder(self._placed(self.source, source), None, padding)
        return Reading(vectors, padding), None if self.training else Caches(self.transformer.decoder.new_cache())

    def decode(self, target: np.ndarray, memory: Reading, state: Caches | None) -> tuple[Any, Caches | None]:
        """Return logits of the next token at each of the targets (T, batch), (batch, T, tokens), and the caches."""
        caches = None if state is None else state.each
        read = self._placed(self.target, target, 0 if caches is None else caches[0].position)
        written = self.transformer.decoder(
            read, memory.vectors, None, None, None, memory.padding, tgt_is_causal=True, cache=caches
        )
        return nn.linear(written, self.target.weight, self.level), state

    def attended(self, target: np.ndarray, source: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Return the weights of the sources at each step of the targets, (batch, T, S): of the last block's heads."""
        attention = list(self.transformer.decoder.layers)[-1].multihead_attn
        seen: list[Any] = []
        with attention.register_forward_pre_hook(lambda module, args: seen.append(args)):
            self.decode(target, *self.encode(source, lengths))
        query, key, value, padding, *_ = seen[0]
        weights: np.ndarray = attention(query, key, value, padding)[1].data
        return weights
