"""Embeddings by models of other packages, tiny ones with random weights that are made here."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from labelnext.embeddings.packages import PACKAGES, package_embedder
from labelnext.errors import ConfigError, NotFound

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "red", "bird", "slow", "train"]
pytestmark = pytest.mark.filterwarnings("ignore")  # of their own

TEXTS = ["a red bird", "a slow train", "red"]


def images() -> list[Image.Image]:
    """Three of noise, each brighter than the one before."""
    state = np.random.default_rng(0)
    pixels = [state.integers(80 * i, 80 * i + 90, (48, 64, 3), dtype=np.uint8) for i in range(3)]
    return [Image.fromarray(one) for one in pixels]


def contents(pictures: list[Image.Image]) -> list[bytes]:
    files = [io.BytesIO() for _ in pictures]
    for picture, file in zip(pictures, files, strict=True):
        picture.save(file, "PNG")
    return [file.getvalue() for file in files]


def vectors(kind: str, folder: Path, given: list[bytes]) -> np.ndarray:
    embedder, _ = package_embedder(PACKAGES[kind], folder.name, folder.parent)
    return np.stack(embedder(given))  # type: ignore[arg-type]  # none is a reason


def check(kind: str, folder: Path, given: list[bytes], expected: np.ndarray) -> None:
    made = vectors(kind, folder, given)
    assert made.dtype == np.float16
    np.testing.assert_allclose(made, expected, rtol=2e-3, atol=2e-3)
    assert not np.allclose(made[0], made[1], atol=1e-2)
    with pytest.raises(NotFound, match="is no folder, and not in the cache"):
        vectors(kind, folder.parent / "absent", given)
    other = folder.parent / "other"
    other.mkdir()
    with pytest.raises(ConfigError, match="must name a model of"):
        vectors(kind, other, given)


def test_model2vec(tmp_path: Path) -> None:
    from model2vec import StaticModel
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    rows = np.random.default_rng(0).normal(size=(len(WORDS), 8)).astype(np.float32)
    StaticModel(rows, tokenizer).save_pretrained(str(tmp_path / "static"))
    means = [rows[[WORDS.index(word) for word in text.split()]].mean(axis=0) for text in TEXTS]
    check("model2vec", tmp_path / "static", [t.encode() for t in TEXTS], np.stack(means))


def test_sentence_transformers(tmp_path: Path) -> None:
    import torch
    from sentence_transformers import SentenceTransformer, models
    from transformers import BertConfig, BertModel, BertTokenizerFast

    torch.manual_seed(0)
    bert = tmp_path / "bert"
    tokenizer = BertTokenizerFast(vocab={word: i for i, word in enumerate(WORDS)})
    tokenizer.save_pretrained(bert)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    network = BertModel(BertConfig(vocab_size=len(WORDS), intermediate_size=16, **sizes)).eval()
    network.save_pretrained(bert)
    SentenceTransformer(modules=[models.Transformer(str(bert)), models.Pooling(16)]).save(
        str(tmp_path / "sentences")
    )
    means = []
    for text in TEXTS:
        with torch.inference_mode():
            out = network(**tokenizer(text, return_tensors="pt")).last_hidden_state
        means.append(out[0].mean(axis=0).numpy())
    given = [text.encode() for text in TEXTS]
    check("sentence-transformers", tmp_path / "sentences", given, np.stack(means))


def test_fastembed_does_not_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTEMBED_CACHE_PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="fastembed says: ValueError: Model bge is not supp"):
        vectors("fastembed", Path("bge"), [b"a"])
    embedder, _ = package_embedder(PACKAGES["fastembed"], "BAAI/bge-small-en-v1.5", tmp_path)
    with pytest.raises(ConfigError, match="Could not load model BAAI/bge-small") as caught:
        embedder([b"a"])
    assert caught.value.hint == "load it once with fastembed itself, where there is a network."


def test_timm(tmp_path: Path) -> None:
    import timm
    import torch
    from timm.models import save_for_hf

    torch.manual_seed(0)
    network = timm.create_model("test_resnet").eval()
    save_for_hf(network, str(tmp_path / "resnet"))
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(network))
    batch = torch.stack([transform(image) for image in images()])
    with torch.inference_mode():
        expected = network.forward_head(network.forward_features(batch), pre_logits=True).numpy()
    check("timm", tmp_path / "resnet", contents(images()), expected)


def test_open_clip(tmp_path: Path) -> None:
    import open_clip
    import torch

    torch.manual_seed(0)
    vision = {"image_size": 32, "layers": 1, "width": 16, "head_width": 8, "patch_size": 16}
    text = {"context_length": 8, "vocab_size": 32, "width": 16, "heads": 2, "layers": 1}
    sizes = {"embed_dim": 8, "vision_cfg": vision, "text_cfg": text}
    network = open_clip.CLIP(**sizes).eval()
    folder = tmp_path / "clip"
    folder.mkdir()
    normal = {"mean": [0.5] * 3, "std": [0.5] * 3}
    config = {"model_cfg": sizes, "preprocess_cfg": normal}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    torch.save(network.state_dict(), folder / "open_clip_pytorch_model.bin")
    transform = open_clip.image_transform(32, is_train=False, **normal)
    batch = torch.stack([transform(image) for image in images()])
    with torch.inference_mode():
        expected = network.encode_image(batch).numpy()
    check("open_clip", folder, contents(images()), expected)
