"""A tiny Whisper (CTranslate2) that says one sentence whatever it hears, and a tiny aligner."""

import json
from pathlib import Path
from typing import Any

import torch

SAID = "the copper kettle came from northgate. she bought it in 1921."
LETTERS = "abcdefghijklmnopqrstuvwxyz'"
# CTranslate2 takes a vocabulary of this size or larger for that of a multilingual model.
MULTILINGUAL = 51865
TIMES = 1501


def write_whisper(folder: Path, *, multilingual: bool) -> Path:
    """Write a Whisper whose decoder goes through `SAID` by the place alone, and convert it."""
    from ctranslate2.converters import TransformersConverter
    from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

    size = MULTILINGUAL if multilingual else MULTILINGUAL - 1
    tokens = _tokens(size)
    number = {token: place for place, token in enumerate(tokens)}
    config = WhisperConfig(
        vocab_size=size,
        d_model=64,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        num_mel_bins=80,
        pad_token_id=number["<|endoftext|>"],
        bos_token_id=number["<|endoftext|>"],
        eos_token_id=number["<|endoftext|>"],
        decoder_start_token_id=number["<|startoftranscript|>"],
        suppress_tokens=[],
        begin_suppress_tokens=[],
    )
    torch.manual_seed(0)
    model = WhisperForConditionalGeneration(config).eval()
    _say(model, [number[token] for token in _words()], number, multilingual)
    model.generation_config.suppress_tokens = []
    model.generation_config.begin_suppress_tokens = []
    model.generation_config.alignment_heads = [[0, 0]]
    if multilingual:
        model.generation_config.lang_to_id = {"<|en|>": number["<|en|>"]}
    source = folder.with_name(f"{folder.name}-transformers")
    model.save_pretrained(source)
    WhisperFeatureExtractor(feature_size=80).save_pretrained(source)
    _tokenizer(tokens).save(str(source / "tokenizer.json"))
    (source / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "<|endoftext|>"})
    )
    copied = ["tokenizer.json", "preprocessor_config.json"]
    TransformersConverter(str(source), copy_files=copied).convert(str(folder))
    return folder


def _words() -> list[str]:
    return [f"\u0120{word}" for word in SAID.split()]


def _tokens(size: int) -> list[str]:
    special = ["<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|translate|>"]
    special += ["<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>"]
    special += ["<|notimestamps|>", *(f"<|{place * 0.02:.2f}|>" for place in range(TIMES))]
    words = list(dict.fromkeys(_words()))
    filling = [f"x{place}" for place in range(size - len(words) - len(special))]
    return [*words, *filling, *special]


def _tokenizer(tokens: list[str]) -> Any:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    special = [token for token in tokens if token.startswith("<|")]
    plain = {token: place for place, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.WordLevel(plain, unk_token="<|endoftext|>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in special])
    return tokenizer


def _say(model: Any, said: list[int], number: dict[str, int], multilingual: bool) -> None:
    """Make each place of the decoder choose its token: layers add nothing, the head is tied."""
    with torch.no_grad():
        for layer in model.model.decoder.layers:
            for out in (layer.self_attn.out_proj, layer.encoder_attn.out_proj, layer.fc2):
                out.weight.zero_()
                out.bias.zero_()
        embedded = model.model.decoder.embed_tokens.weight
        embedded.normal_(0, 1)
        # Whisper begins with the language and the task where it is of many languages.
        begin = 4 if multilingual else 2
        places = model.model.decoder.embed_positions.weight
        places.zero_()
        for place, token in enumerate([*said, number["<|endoftext|>"]], begin - 1):
            places[place] = 50 * embedded[token]
        if multilingual:
            places[0] = 50 * embedded[number["<|en|>"]]


def write_aligner(folder: Path) -> Path:
    """Write a wav2vec2 model of letters at random weights."""
    from transformers import (
        Wav2Vec2Config,
        Wav2Vec2CTCTokenizer,
        Wav2Vec2FeatureExtractor,
        Wav2Vec2ForCTC,
        Wav2Vec2Processor,
    )

    folder.mkdir()
    vocabulary = ["<pad>", "<unk>", "|", *LETTERS.upper()]
    file = folder / "vocab.json"
    file.write_text(json.dumps({token: place for place, token in enumerate(vocabulary)}))
    config = Wav2Vec2Config(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        conv_dim=(8,) * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
        pad_token_id=0,
    )
    torch.manual_seed(0)
    Wav2Vec2ForCTC(config).save_pretrained(folder)
    tokenizer = Wav2Vec2CTCTokenizer(
        str(file), pad_token="<pad>", unk_token="<unk>", word_delimiter_token="|"
    )
    Wav2Vec2Processor(Wav2Vec2FeatureExtractor(), tokenizer).save_pretrained(folder)
    return folder
