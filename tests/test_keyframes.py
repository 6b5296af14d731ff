"""Keyframes: the three choices, what they go by, and what an agent then sees."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from agents.language.pictures import PATCH
from agents.language.watch import BESIDE, KEY_TOKENS, KEYS, Watch
from evals.clips import steady, write_video
from evals.keyframes import Needle, hits
from evals.sample_clip import Slide, render
from tools.embedding import Embedder
from tools.errors import InputError
from tools.evidence import Evidence
from tools.frame_features import ClassicalFeatures, HubFeatures
from tools.keyframes import METHODS, choose, clustering, differential, salience, uniform
from tools.relevance import SALIENCE, relevance

RED, BLUE, GREEN = ((200, 30, 30), (30, 60, 200), (20, 130, 50))


def plain(*colours: tuple[int, int, int]) -> list[np.ndarray]:
    return [np.full((90, 160, 3), colour, np.uint8) for colour in colours]


def angles(*degrees: float) -> np.ndarray:
    radians = np.radians(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


@pytest.mark.parametrize(("candidates", "count"), [(1, 8), (7, 8), (8, 8), (100, 8), (10, 3)])
def test_uniform_is_spread(candidates: int, count: int) -> None:
    places = uniform(candidates, count)
    assert len(set(places)) == len(places) == min(count, candidates)
    assert min(places) >= 0
    assert max(places) < candidates
    gaps = np.diff([-1, *places, candidates])
    assert max(gaps) <= candidates / len(places) + 1


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("candidates", [0, 1, 3, 40])
def test_every_choice_keeps_the_order_and_the_count(method: str, candidates: int) -> None:
    features = ClassicalFeatures().of_images(plain(*[RED, BLUE, GREEN, RED] * 10))[:candidates]
    places = choose(method, features, salience(features), 4)
    assert places == sorted(set(places))
    assert len(places) <= min(4, candidates)
    assert bool(places) == bool(candidates)


def test_differential_takes_the_relevant_ones_that_are_not_alike() -> None:
    features = angles(0, 5, 90, 95, 45)
    near = np.array([0.9, 0.95, 0.5, 0.4, 0.1])
    assert differential(features, near, 2) == [1, 2]
    assert differential(features, near, 2, alike=1.0) == [0, 1]


def test_what_is_left_of_the_count_fills_the_longest_gaps() -> None:
    features = angles(*[0.0] * 20, 90.0)
    assert differential(features, np.array([*[0.0] * 20, 1.0]), 4) == [0, 5, 10, 20]


def test_clustering_takes_one_of_each_kind() -> None:
    features = ClassicalFeatures().of_images(plain(*[RED] * 5, *[BLUE] * 9, *[GREEN] * 2))
    first, second, third = clustering(features, 3)
    assert first < 5 <= second < 14 <= third


def test_a_question_finds_the_frame_that_tells_it() -> None:
    looks = ClassicalFeatures()
    features = looks.of_images(plain(*[RED] * 6))
    texts = ["The copper kettle", "", "The keepers and their families", "", "Fog bell", "Fog bell"]

    def best(*queries: str) -> int:
        near = relevance(queries, features, texts, looks=looks, embedder=Embedder())
        return int(near.argmax())

    assert best("Who made the kettle of copper?") == 0
    assert best("How many families kept it?") == 2
    assert best("How many families kept it?", "How often does the bell ring in fog?") in (2, 4)


def test_without_a_question_what_is_seldom_seen_is_near() -> None:
    looks = ClassicalFeatures()
    features = looks.of_images(plain(*[RED] * 9, BLUE))
    for queries in ([], [""]):
        near = relevance(queries, features, [""] * 10, looks=looks, embedder=Embedder())
        assert near.argmax() == 9


@pytest.fixture(scope="module")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CLIP of one layer at random weights, as a hub's folder holds it."""
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPProcessor

    from training.pretraining.tiny_vlm import train_tokenizer

    folder = tmp_path_factory.mktemp("clip")
    small = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1}
    small |= {"num_attention_heads": 2, "projection_dim": 16}
    tokenizer = train_tokenizer(["Who made the kettle of copper?"], 300)
    tokenizer.model_max_length = 32
    text = {**small, "vocab_size": len(tokenizer), "max_position_embeddings": 32}
    ends = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    config = CLIPConfig(
        text_config={**text, **ends},
        vision_config={**small, "image_size": 32, "patch_size": 16},
        projection_dim=16,
    )
    CLIPModel(config).save_pretrained(folder)
    size = {"shortest_edge": 32}
    pictures = CLIPImageProcessor(size=size, crop_size={"height": 32, "width": 32})
    CLIPProcessor(pictures, tokenizer).save_pretrained(folder)
    return folder


def test_an_image_embedder_knows_pictures_and_words(tiny_clip: Path) -> None:
    looks = HubFeatures(str(tiny_clip))
    rows = looks.of_images(plain(RED, BLUE, RED))
    words = looks.of_text("the kettle")
    assert rows.shape == (3, 16)
    assert words.shape == (16,)
    assert np.allclose(np.linalg.norm([*rows, words], axis=1), 1, atol=1e-5)
    assert np.allclose(rows[0], rows[2], atol=1e-6)
    assert not np.allclose(rows[0], rows[1], atol=1e-4)
    near = relevance(["the kettle"], rows, [""] * 3, looks=looks, embedder=Embedder())
    expected = SALIENCE * salience(rows) + np.maximum(0, rows @ words)
    assert np.allclose(near, expected, atol=1e-5)


def test_no_image_embedder_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="could not be loaded"):
        HubFeatures(str(tmp_path))


def test_a_needle_is_found_that_even_frames_miss(tmp_path: Path) -> None:
    scene = Slide(12.0, "blue", "The First Tower", "Built in 1847", (), motion="right")
    flash = Slide(0.6, "white", "The Fog Bell", "For a moment", ())
    path = render(tmp_path / "needle.mp4", [scene, flash, scene])
    found = hits(path, [Needle(12.0, 12.6, "The Fog Bell")], None)
    assert found["asked/differential/4"] == 1
    assert found["unasked/differential/4"] == 1
    assert found["unasked/uniform/4"] == 0


def test_an_agent_sees_the_keyframes_large_and_others_small(tmp_path: Path) -> None:
    images = [np.full((540, 960, 3), (RED, BLUE, GREEN)[n // 20], np.uint8) for n in range(60)]
    images[30][200:300, 300:700] = 250
    video = write_video(tmp_path / "three.mp4", images, steady(60, 5), key_every=5)
    watch = Watch(video, tmp_path / "evidence", method="differential", looks=ClassicalFeatures())
    evidence = Evidence(
        id="e1", kind="title", start=6.0, end=6.4, value="The Fog Bell", source="t", score=1.0
    )
    watch.store.add([evidence])
    pictures = watch.span((0.0, 12.0), 12.0, ["What does the fog bell say?"])
    *keys, sheet = _pictures(pictures.blocks(0))
    assert len(keys) == KEYS
    assert sum(w * h for w, h in keys) / PATCH**2 <= KEY_TOKENS * 1.05
    assert max(keys[0]) > 2 * max(sheet) / np.ceil(np.sqrt(BESIDE)), "mixed precision"
    times = [
        float(b["text"][3:-3]) for b in pictures.blocks(0) if b.get("text", "").startswith("at ")
    ]
    assert times == sorted(times)
    assert any(6.0 <= time < 6.4 for time in times)
    small = [max(size) for size in _pictures(pictures.blocks(1))]
    assert all(
        after <= before * 0.6 for after, before in zip(small, map(max, [*keys, sheet]), strict=True)
    )

    merging = Watch(
        video, tmp_path / "evidence", method="uniform", looks=ClassicalFeatures(), merges=True
    )
    blocks = merging.span((0.0, 12.0), 12.0, ["the bell", "the fog"]).blocks(0)
    topics = [block.get("topic") for block in blocks if block["type"] == "image"]
    assert topics.count(None) == KEYS
    assert topics.count("the bell the fog") == BESIDE
    times = [float(block["text"][3:-3]) for block in blocks if block["type"] == "text"]
    assert times == sorted(set(times)), "in the order of the video"


def _pictures(blocks: list[dict[str, str]]) -> list[tuple[int, int]]:
    import base64
    import io

    shown = [block["base64"] for block in blocks if block["type"] == "image"]
    return [Image.open(io.BytesIO(base64.b64decode(one))).size for one in shown]
