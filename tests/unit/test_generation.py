"""Generation token by token against reading whole texts anew; perplexity against its definition."""

import math

import pytest
import torch
from torch import Tensor

from udfs.models.generation import CausalModel, generate, generate_targets, perplexity
from udfs.models.language_model_config import LanguageModelConfig
from udfs.models.language_models import (
    DecoderLanguageModel,
    EncoderDecoderLanguageModel,
    LanguageModel,
    RecurrentLanguageModel,
    build,
)

V, MAX = 30, 14
PAD, BOS, EOS = 0, 1, 2
PROMPTS = [[BOS, 5, 9], [BOS], [BOS, 7, 7, 20, 4, 11]]
CAUSAL = ["rnn", "gru", "lstm", "decoder"]


def model_of(architecture: str) -> LanguageModel:
    torch.manual_seed(3)
    facts = {"architecture": architecture, "vocabulary_size": V, "hidden_size": 8, "n_layers": 2, "max_tokens": MAX}
    facts |= {"dropout": 0.5, "pad_id": PAD, "bos_id": BOS, "eos_id": EOS, "token_size": 6}
    facts |= {"n_heads": 2} if architecture in ("decoder", "encoder_decoder") else {}
    model = build(LanguageModelConfig.model_validate(facts))
    for parameter in model.parameters():
        if parameter.dim() == 2:
            torch.nn.init.normal_(parameter, std=0.6)
    return model.double()


def causal(architecture: str) -> CausalModel:
    model = model_of(architecture)
    assert isinstance(model, RecurrentLanguageModel | DecoderLanguageModel)
    return model


def next_logits(model: LanguageModel, states: Tensor) -> Tensor:
    """Logits (V,) after the last of one text's states (1, l, d), of tokens that may be chosen."""
    logits = model.logits(states[0, -1])
    logits[[PAD, BOS]] = -torch.inf
    return logits


def ones(ids: Tensor) -> Tensor:
    return torch.ones_like(ids, dtype=torch.bool)


@torch.no_grad()
def most_probable(model: CausalModel, prompt: list[int], n: int) -> list[int]:
    """The definition, one text at a time."""
    text = list(prompt)
    while len(text) - len(prompt) < n:
        if isinstance(model, DecoderLanguageModel) and len(text) == MAX:
            break
        ids = torch.tensor([text])
        token = int(next_logits(model, model.hidden(ids, ones(ids))).argmax())
        if token == EOS:
            break
        text.append(token)
    return text[len(prompt) :]


@pytest.mark.parametrize("architecture", CAUSAL)
def test_each_text_goes_on_as_if_it_were_alone(architecture: str) -> None:
    model = causal(architecture).eval()
    wanted = [most_probable(model, prompt, 20) for prompt in PROMPTS]
    assert generate(model, PROMPTS, 20) == wanted
    assert any(wanted)


def test_a_text_stops_at_the_end_token_and_others_go_on() -> None:
    model = causal("decoder").eval()
    lengths = set()
    for bias in (-3.0, 2.0, 4.0, 7.0, 30.0):  # from an end token that never comes to one that comes at once
        with torch.no_grad():
            model.output_bias[EOS] = bias
        found = generate(model, PROMPTS, 6)
        assert found == [most_probable(model, prompt, 6) for prompt in PROMPTS]
        lengths.add(tuple(len(text) for text in found))
    assert any(len(set(of_prompts)) > 1 for of_prompts in lengths)
    assert (0, 0, 0) in lengths


def test_a_decoder_stops_where_its_positions_end() -> None:
    model = causal("decoder").eval()
    with torch.no_grad():
        model.output_bias[EOS] = -1e9
    assert [len(text) for text in generate(model, PROMPTS, 99)] == [MAX - len(prompt) for prompt in PROMPTS]
    assert generate(model, [[5] * MAX], 3) == [[]]
    with pytest.raises(ValueError, match=f"a text of {MAX + 1} tokens: the model takes at most max_tokens {MAX}"):
        generate(model, [[5] * (MAX + 1)], 3)


def test_a_recurrent_model_has_no_longest_text() -> None:
    model = causal("gru").eval()
    with torch.no_grad():
        model.output_bias[EOS] = -1e9
    assert [len(text) for text in generate(model, PROMPTS, 40)] == [40, 40, 40]


def test_dropout_rests_while_generating_and_comes_back() -> None:
    model = causal("lstm").train()
    assert generate(model, PROMPTS, 9) == generate(model, PROMPTS, 9)
    assert model.training


def test_drawn_tokens_have_the_probabilities_of_the_model() -> None:
    model, n = causal("gru").eval(), 5_000
    ids = torch.tensor([PROMPTS[0]])
    logits = next_logits(model, model.hidden(ids, ones(ids))).detach()
    for top_k in (None, 4):
        drawn = generate(model, [PROMPTS[0]] * n, 1, 1.5, top_k, torch.Generator().manual_seed(5))
        counts = torch.bincount(torch.tensor([text[0] if text else EOS for text in drawn]), minlength=V)
        kept = logits if top_k is None else logits.masked_fill(logits < logits.topk(top_k).values[-1], -torch.inf)
        expected = (kept / 1.5).softmax(dim=0)
        assert torch.allclose(counts.double() / n, expected, atol=0.03)
        assert not counts[expected == 0].any()


def test_a_seed_repeats_a_draw_and_top_1_is_the_most_probable() -> None:
    model = causal("decoder").eval()
    first, second, other = (
        generate(model, PROMPTS, 8, 2.0, None, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert first == second != other
    assert generate(model, PROMPTS, 8, 2.0, 1) == generate(model, PROMPTS, 8)


@pytest.mark.parametrize(
    ("prompts", "temperature", "top_k", "message"),
    [
        ([], 0.0, None, "no texts"),
        ([[5], []], 0.0, None, "text 1 has no tokens; begin it with bos_id"),
        ([[5]], -1.0, None, r"temperature -1\.0"),
        ([[5]], 1.0, 0, "top_k 0"),
    ],
)
def test_bad_calls(prompts: list[list[int]], temperature: float, top_k: int | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        generate(causal("rnn"), prompts, 3, temperature, top_k)


def test_targets_are_the_most_probable_tokens_given_their_own_source() -> None:
    model = model_of("encoder_decoder").eval()
    assert isinstance(model, EncoderDecoderLanguageModel)
    wanted = []
    with torch.no_grad():
        for source in PROMPTS:
            ids, text = torch.tensor([source]), [BOS]
            memory = model.encode(ids, ones(ids))
            while len(text) < MAX:
                target = torch.tensor([text])
                states = model.decode(target, ones(target), memory, ones(ids))
                if (token := int(next_logits(model, states).argmax())) == EOS:
                    break
                text.append(token)
            wanted.append(text[1:])
    assert generate_targets(model, PROMPTS, 99) == wanted
    assert generate_targets(model, PROMPTS, 3) == [text[:3] for text in wanted]
    assert len({tuple(text) for text in wanted}) > 1


@pytest.mark.parametrize("architecture", CAUSAL)
def test_perplexity_weighs_tokens_and_leaves_padding_out(architecture: str) -> None:
    model = causal(architecture).train()
    ids = torch.randint(4, V, (3, 7), generator=torch.Generator().manual_seed(0))
    mask = torch.arange(7) < torch.tensor([7, 1, 4])[:, None]
    losses = []
    model.eval()
    for row, length in ((0, 7), (2, 4)):
        logits = model.logits(model.hidden(ids[row : row + 1, :length], mask[row : row + 1, :length]))[0]
        probabilities = logits.softmax(dim=1).detach()
        losses += [-math.log(float(probabilities[t, ids[row, t + 1]])) for t in range(length - 1)]
    wanted = math.exp(sum(losses) / len(losses))
    model.train()
    assert perplexity(model, [(ids, mask)]) == pytest.approx(wanted, rel=1e-6)
    assert perplexity(model, [(ids[:2], mask[:2]), (ids[2:], mask[2:])]) == pytest.approx(wanted, rel=1e-6)
    with pytest.raises(ValueError, match="no text has two tokens"):
        perplexity(model, [(ids[1:2], mask[1:2])])
