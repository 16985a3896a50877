# SPDX-License-Identifier: GPL-3.0-or-later
"""The text encoder against the official code's numbers and against transformers; the tokenizer with a small vocabulary.

The tokenizer of umT5 itself has not been run here: it is the artist's file.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sentencepiece import SentencePieceProcessor, SentencePieceTrainer
from torch import Tensor

from backend.contract.errors import FileMissingError
from backend.engines.wan.text import (
    LENGTH_TOKENS,
    NEGATIVE_PROMPT,
    PROMPT,
    TextConfig,
    TextEncoder,
    Tokenizer,
    TokenizerError,
    clean,
)

from . import vectors
from .peer_encoders import draw, peer_text

TINY = TextConfig(vocabulary=300, dim=64, dim_attention=64, dim_ffn=128, heads=4, layers=3)

SENTENCES = (
    "People in the video are doing actions.",
    "A boy walks down the alley, and a scholar waves & smiles.",
    "The café is open; naïve façade <b>bold</b> 1 < 2.",
    PROMPT,
    NEGATIVE_PROMPT,
)


def padded(tokens: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    ids = torch.zeros(LENGTH_TOKENS, dtype=torch.int64)
    ids[:tokens] = torch.randint(2, TINY.vocabulary, (tokens,), generator=torch.Generator().manual_seed(seed))
    return ids, (torch.arange(LENGTH_TOKENS) < tokens).long()


def trained(**numbers: Any) -> bytes:
    model = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES * 20),
        model_writer=model,
        vocab_size=180,
        model_type="unigram",
        hard_vocab_limit=False,
        minloglevel=2,
        **numbers,
    )
    return model.getvalue()


@pytest.fixture(scope="module")
def spiece() -> bytes:
    """A vocabulary with umT5's special tokens: padding 0, end 1, unknown 2, no beginning."""
    return trained(pad_id=0, eos_id=1, unk_id=2, bos_id=-1)


@pytest.mark.parametrize("case", vectors.cases("text/*"))
def test_the_official_code_encodes_to_the_same(case: str) -> None:
    tensors, facts = vectors.load(case)
    encoder = TextEncoder(TINY)
    encoder.load_state_dict(vectors.weights(facts["model"], facts["weight_seed"]))
    rows = encoder(tensors["in.ids"][0], tensors["in.mask"][0])
    assert rows.shape == tensors["out.rows"].shape
    assert (rows - tensors["out.rows"]).abs().max() <= 1e-5


def test_a_golden_case_is_there() -> None:
    assert vectors.cases("text/*")


@pytest.mark.parametrize("tokens", [1, 2, 40, 300, 512])
def test_transformers_encodes_to_the_same(tokens: int) -> None:
    encoder = TextEncoder(TINY)
    peer = peer_text(TINY, draw(encoder, seed=tokens))
    ids, mask = padded(tokens)
    with torch.inference_mode():
        theirs = peer(ids[None], mask[None]).last_hidden_state[0, :tokens]
    ours = encoder(ids, mask)
    assert ours.shape == (tokens, TINY.dim)
    assert (ours - theirs).abs().max() <= 1e-5 * theirs.abs().max()


def test_it_computes_in_the_dtype_of_its_weights() -> None:
    encoder = TextEncoder(TINY)
    draw(encoder, seed=3)
    exact, rounded = encoder(*padded(20)), encoder.to(torch.bfloat16)(*padded(20))
    assert rounded.dtype == torch.bfloat16
    assert 0 < (rounded.float() - exact).abs().mean() < 0.03


def test_the_real_one_has_the_published_size() -> None:
    with torch.device("meta"):
        table = TextEncoder().state_dict()
    assert len(table) == 242
    assert sum(value.numel() for value in table.values()) == 5_680_910_336
    assert table["blocks.23.pos_embedding.embedding.weight"].shape == (32, 64)
    assert table["blocks.0.ffn.fc2.weight"].shape == (4096, 10_240)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  two\t words\n\nhere ", "two words here"),
        ("a &amp;lt; b", "a < b"),
        ("a&nbsp;b", "a b"),
        ("caf\u00c3\u00a9", "caf\u00e9"),
        ("", ""),
    ],
)
def test_text_is_cleaned(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@pytest.mark.parametrize("text", [*SENTENCES, "", "&amp;amp;  spaced   out\t"])
def test_tokens_are_the_model_s_own_then_the_end_then_padding(text: str, spiece: bytes) -> None:
    ids, mask = Tokenizer.load(spiece).encode(text)
    raw = SentencePieceProcessor(model_proto=spiece).encode(clean(text))
    assert ids.tolist() == raw + [1] + [0] * (LENGTH_TOKENS - len(raw) - 1)
    assert mask.tolist() == [1] * (len(raw) + 1) + [0] * (LENGTH_TOKENS - len(raw) - 1)
    assert ids.dtype == mask.dtype == torch.int64


def test_a_long_text_is_cut_before_its_end(spiece: bytes) -> None:
    ids, mask = Tokenizer.load(spiece).encode("A boy walks down the alley. " * 100)
    raw = SentencePieceProcessor(model_proto=spiece).encode(clean("A boy walks down the alley. " * 100))
    assert len(raw) > LENGTH_TOKENS
    assert ids.tolist() == [*raw[: LENGTH_TOKENS - 1], 1]
    assert mask.tolist() == [1] * LENGTH_TOKENS


def test_the_file_and_its_bytes_in_a_text_encoder_read_the_same(spiece: bytes, tmp_path: Path) -> None:
    (tmp_path / "spiece.model").write_bytes(spiece)
    save_file({"spiece_model": torch.from_numpy(np.frombuffer(spiece, np.uint8).copy())}, tmp_path / "t5.safetensors")
    inside = load_file(tmp_path / "t5.safetensors")["spiece_model"].numpy().tobytes()
    for text in SENTENCES:
        from_file, from_bytes = (Tokenizer.load(source).encode(text) for source in (tmp_path / "spiece.model", inside))
        assert torch.equal(from_file[0], from_bytes[0])


def test_a_file_that_is_no_tokenizer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "spiece.model").write_bytes(b"not a model")
    with pytest.raises(TokenizerError, match=r"spiece\.model"):
        Tokenizer.load(tmp_path / "spiece.model")
    with pytest.raises(FileMissingError, match="missing"):
        Tokenizer.load(tmp_path / "missing.model")


def test_a_tokenizer_of_another_model_is_refused() -> None:
    with pytest.raises(TokenizerError, match="token 1"):
        Tokenizer.load(trained(unk_id=0, bos_id=1, eos_id=2))
