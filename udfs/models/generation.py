"""Text from a language model, token by token, and its perplexity.

Notation: b texts, l tokens of the longest, d hidden size, V vocabulary size.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn import functional as F

from udfs.models.language_models import (
    DecoderLanguageModel,
    EncoderDecoderLanguageModel,
    LanguageModel,
    RecurrentLanguageModel,
)

CausalModel = RecurrentLanguageModel | DecoderLanguageModel
Texts = Sequence[Sequence[int]]
_Advance = Callable[[Tensor, Tensor], Tensor]
"""Read one more token (b,) of the texts where a mask (b,) is True, return the hidden states (b, d) after it."""


def generate(
    model: CausalModel,
    prompts: Texts,
    max_new_tokens: int,
    temperature: float = 0.0,
    top_k: int | None = None,
    generator: torch.Generator | None = None,
) -> list[list[int]]:
    """Continue prompts of token ids; a text's continuation does not depend on the other prompts unless it is drawn.

    Args:
        temperature: 0 takes the most probable token; else tokens are drawn from softmax(logits / temperature).
        top_k: draw from the k most probable tokens only.
        generator: of the model's device; None: torch's global one.

    Returns:
        New tokens of each prompt, without the end token. Fewer than `max_new_tokens` where a text ended, or where a decoder has
        no more positions.

    Raises:
        ValueError: no prompt, an empty one, one longer than a decoder's `max_tokens`; a negative temperature; top_k below 1.
    """
    if temperature < 0 or (top_k is not None and top_k < 1):
        raise ValueError(f"temperature {temperature}, top_k {top_k}: must be at least 0 and 1")
    with _predicting(model):
        ids, lengths = _padded(prompts, model)
        if isinstance(model, RecurrentLanguageModel):
            hidden, advance = _read_recurrently(model, ids, lengths)
            room = torch.full_like(lengths, max_new_tokens)
        else:
            room = (model.config.max_tokens - lengths).clamp(max=max_new_tokens)
            hidden, advance = _read_prefixes(lambda i, m: model.hidden(i, m), model, ids, lengths)
        return _extend(model, hidden, advance, room, lambda x: _draw(x, temperature, top_k, generator))


def generate_targets(model: EncoderDecoderLanguageModel, sources: Texts, max_new_tokens: int) -> list[list[int]]:
    """Return the target text of each source text, the most probable token at each place, without begin and end token.

    Raises:
        ValueError: no source, an empty one, one longer than `max_tokens`.
    """
    with _predicting(model):
        ids, lengths = _padded(sources, model)
        mask = _mask(lengths, ids.shape[1])
        memory = model.encode(ids, mask)
        begun = torch.full_like(ids[:, :1], model.config.bos_id)
        ones = torch.ones_like(lengths)
        hidden, advance = _read_prefixes(lambda i, m: model.decode(i, m, memory, mask), model, begun, ones)
        room = (model.config.max_tokens - ones).clamp(max=max_new_tokens)
        return _extend(model, hidden, advance, room, lambda x: x.argmax(dim=1))


def perplexity(model: CausalModel, batches: Iterable[tuple[Tensor, Tensor]]) -> float:
    """Return exp of the mean negative log-likelihood of every real token but a text's first, given the tokens before it.

    Args:
        batches: ids (b, l) and mask (b, l), True at real tokens; padding follows.

    Raises:
        ValueError: no text has a second token.
    """
    device = model.tokens.weight.device
    total, n = 0.0, 0
    with _predicting(model):
        for ids, mask in batches:
            ids, mask = ids.to(device), mask.to(device)
            states = model.hidden(ids, mask)[:, :-1][mask[:, 1:]]  # (t, d), before each of t tokens
            losses = F.cross_entropy(model.logits(states).float(), ids[:, 1:][mask[:, 1:]], reduction="sum")
            total += float(losses)
            n += len(states)
    if n == 0:
        raise ValueError("perplexity: no text has two tokens or more")
    return math.exp(total / n)


@contextmanager
def _predicting(model: LanguageModel) -> Iterator[None]:
    """Without gradients and dropout; the model's mode is as before afterwards."""
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        model.train(was_training)


def _padded(texts: Texts, model: LanguageModel) -> tuple[Tensor, Tensor]:
    """Return ids (b, l), padded at their ends, and lengths (b,)."""
    empty = [i for i, text in enumerate(texts) if not len(text)]
    if empty or not len(texts):
        raise ValueError(f"text {empty[0]} has no tokens; begin it with bos_id" if empty else "no texts")
    device, longest = model.tokens.weight.device, max(len(text) for text in texts)
    if not model.config.is_recurrent and longest > model.config.max_tokens:
        raise ValueError(f"a text of {longest} tokens: the model takes at most max_tokens {model.config.max_tokens}")
    rows = [[*text, *[model.config.pad_id] * (longest - len(text))] for text in texts]
    return torch.tensor(rows, device=device), torch.tensor([len(text) for text in texts], device=device)


def _mask(lengths: Tensor, length: int) -> Tensor:
    """Return the mask (b, length) of texts of `lengths` (b,)."""
    return torch.arange(length, device=lengths.device) < lengths[:, None]


def _read_recurrently(model: RecurrentLanguageModel, ids: Tensor, lengths: Tensor) -> tuple[Tensor, _Advance]:
    """Read prompts token by token; each step after them costs the same, because the state (n, s, b, d) is carried."""
    state = model.initial_state(len(ids))
    hidden = state[-1, 0]  # (b, d)

    def advance(tokens: Tensor, active: Tensor) -> Tensor:
        nonlocal state, hidden
        new_hidden, new_state = model.step(tokens, state)
        state = torch.where(active[:, None], new_state, state)
        hidden = torch.where(active[:, None], new_hidden, hidden)
        return hidden

    for t in range(ids.shape[1]):
        advance(ids[:, t], t < lengths)
    return hidden, advance


def _read_prefixes(
    read: Callable[[Tensor, Tensor], Tensor], model: LanguageModel, ids: Tensor, lengths: Tensor
) -> tuple[Tensor, _Advance]:
    """Read texts so far anew at each step: `read` gives hidden states (b, l, d) of ids (b, l) with a mask (b, l)."""
    rows = torch.arange(len(ids), device=ids.device)

    def last() -> Tensor:
        return read(ids, _mask(lengths, ids.shape[1]))[rows, lengths - 1]

    def advance(tokens: Tensor, active: Tensor) -> Tensor:
        nonlocal ids, lengths
        ends = lengths + active
        if int(ends.max()) > ids.shape[1]:
            ids = F.pad(ids, (0, 1), value=model.config.pad_id)
        ids[rows[active], lengths[active]] = tokens[active]
        lengths = ends
        return last()

    return last(), advance


def _extend(
    model: LanguageModel, hidden: Tensor, advance: _Advance, room: Tensor, choose: Callable[[Tensor], Tensor]
) -> list[list[int]]:
    """Choose tokens after hidden states (b, d) until each text has ended or has as many new ones as it has `room` (b,) for."""
    never = [i for i in (model.config.pad_id, model.config.bos_id, model.config.mask_id) if i is not None]
    new: list[list[int]] = [[] for _ in room]
    active = room > 0
    while bool(active.any()):
        logits = model.logits(hidden).float()  # (b, V)
        logits[:, never] = -torch.inf
        tokens = choose(logits)
        active = active & (tokens != model.config.eos_id)
        for text, token, goes_on in zip(new, tokens.tolist(), active.tolist(), strict=True):
            if goes_on:
                text.append(token)
        room = room - 1
        growing = active & (room > 0)
        if bool(growing.any()):
            hidden = advance(tokens, growing)
        active = growing
    return new


def _draw(logits: Tensor, temperature: float, top_k: int | None, generator: torch.Generator | None) -> Tensor:
    """Return one token (b,) of each row of logits (b, V)."""
    if temperature == 0:
        return logits.argmax(dim=1)
    if top_k is not None and top_k < logits.shape[1]:
        least = logits.topk(top_k, dim=1).values[:, -1:]
        logits = logits.masked_fill(logits < least, -torch.inf)
    return torch.multinomial((logits / temperature).softmax(dim=1), 1, generator=generator).squeeze(1)
