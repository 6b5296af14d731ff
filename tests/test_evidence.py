import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from chromadb.api.shared_system_client import SharedSystemClient

from tools.embedding import Embedder
from tools.errors import InputError
from tools.evidence import Evidence, EvidenceStore, Kind


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder()


@pytest.fixture
def store(tmp_path: Path, embedder: Embedder) -> EvidenceStore:
    return EvidenceStore(tmp_path / "evidence", embedder)


def piece(number: int, value: str, kind: Kind = "speech", length: float = 2.0) -> Evidence:
    start = 2.0 * number
    return Evidence(
        id=f"e{number:04d}",
        kind=kind,
        start=start,
        end=start + length,
        value=value,
        source="test",
        score=0.9,
    )


TALK = [
    piece(0, "The spacecraft lifted off at dawn."),
    piece(1, "Bread needs flour, water and salt."),
    piece(2, "Quarterly results", "title"),
    piece(3, "blue", "colour"),
    piece(4, "My grandmother kept bees in the garden."),
]


def test_embeddings_are_unit_rows_in_order(embedder: Embedder) -> None:
    rows = embedder.embed(["a cat", "a much longer sentence about something else", "a kitten"])
    assert rows.shape == (3, 384)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, rtol=1e-5)
    assert rows[0] @ rows[2] > rows[0] @ rows[1] + 0.3
    np.testing.assert_allclose(embedder.embed(["a kitten"])[0], rows[2], atol=1e-5)
    assert embedder.embed([]).shape == (0, 384)


def test_search_needs_no_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError("network")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    SharedSystemClient.clear_system_cache()
    store = EvidenceStore(tmp_path)
    store.add(TALK)
    assert store.search("rocket launch")[0][0] == TALK[0]
    assert capfd.readouterr() == ("", "")


def test_what_is_added_is_there_for_the_next_reader(store: EvidenceStore) -> None:
    assert store.all() == []
    store.add(TALK[:2])
    store.add(TALK[2:])
    assert EvidenceStore(store.folder).all() == store.all() == TALK
    assert [path.name for path in store.folder.iterdir()] == ["evidence.jsonl"]


def test_any_text_survives(store: EvidenceStore) -> None:
    odd = piece(0, 'Zoë said: "naïve\u2028 日本"\n\t{}')
    store.add([odd])
    assert EvidenceStore(store.folder).all() == [odd]


def test_an_id_stands_for_one_thing(store: EvidenceStore) -> None:
    store.add(TALK[:1])
    store.add(TALK[:1])
    assert store.all() == TALK[:1]
    with pytest.raises(ValueError, match="e0000"):
        store.add([piece(9, "new"), piece(0, "something else")])
    assert store.all() == TALK[:1]


def test_two_stores_of_one_folder_see_each_other(store: EvidenceStore, embedder: Embedder) -> None:
    other = EvidenceStore(store.folder, embedder)
    store.add(TALK[:1])
    other.add(TALK[1:2])
    store.add(TALK[2:3])
    assert other.all() == store.all() == TALK[:3]


def test_between_gives_what_meets_the_span(store: EvidenceStore) -> None:
    store.add(list(reversed(TALK)))
    assert store.between(1.0, 4.0) == TALK[:2]
    assert store.between(4.0, 8.0, kinds=["colour"]) == [TALK[3]]
    assert store.between(100, 200) == []


def test_search_finds_by_meaning(store: EvidenceStore) -> None:
    assert store.search("anything") == []
    store.add(TALK)
    best, score = store.search("rocket launch", k=1)[0]
    assert best == TALK[0]
    assert 0.3 < score < 1.0
    assert store.search("how do I bake a loaf?")[0][0] == TALK[1]
    assert store.search("insects that make honey")[0][0] == TALK[4]
    assert store.search(TALK[1].value)[0][1] == pytest.approx(1.0, abs=1e-3)


def test_search_is_bounded_and_can_be_narrowed(store: EvidenceStore) -> None:
    store.add(TALK)
    found = store.search("blue", k=100)
    assert len(found) == len(TALK)
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
    narrowed = store.search("rocket launch", kinds=["title", "colour"])
    assert {item.kind for item, _ in narrowed} == {"title", "colour"}
    assert store.search("rocket", kinds=[]) == store.search("  ") == store.search("x", k=0) == []


def test_search_sees_what_came_later(store: EvidenceStore) -> None:
    store.add(TALK)
    store.search("rocket launch")
    late = piece(5, "A rocket was launched from Florida.")
    store.add([late])
    assert store.search("rocket launch")[0][0] == late


def test_a_lost_index_is_built_again(store: EvidenceStore, embedder: Embedder) -> None:
    store.add(TALK)
    store.search("rocket launch")
    shutil.rmtree(store.folder / "chroma")
    assert store.search("rocket launch")[0][0] == TALK[0]
    assert EvidenceStore(store.folder, embedder).search("rocket launch")[0][0] == TALK[0]


@pytest.mark.parametrize("names", [["chroma.sqlite3"], ["*.bin"], ["chroma.sqlite3", "*.bin"]])
@pytest.mark.parametrize("damage", [b"", b"garbage" * 4000])
def test_a_damaged_index_is_built_again(
    store: EvidenceStore, names: list[str], damage: bytes
) -> None:
    store.add(TALK)
    assert store.search("rocket launch")[0][0] == TALK[0]
    # What chroma has open outlives the damage; a new process would have nothing open.
    SharedSystemClient.clear_system_cache()
    for name in names:
        for path in (store.folder / "chroma").rglob(name):
            path.write_bytes(damage)
    assert store.search("rocket launch")[0][0] == TALK[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="--out"):
        EvidenceStore(tmp_path / "evidence").add(TALK)


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "evidence").write_text("")
    with pytest.raises(InputError, match="--out"):
        EvidenceStore(tmp_path / "evidence").add(TALK)
