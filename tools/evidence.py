"""What the tools measured in a video, kept as JSON Lines and searchable by meaning."""

import contextlib
import hashlib
import os
import shutil
import threading
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from tools.embedding import Embedder
from tools.errors import InputError

Kind = Literal["shot", "title", "text", "speech", "colour", "brightness", "motion", "faces"]

TEXTS: tuple[Kind, ...] = ("title", "text", "speech")
LOOKS: tuple[Kind, ...] = ("colour", "brightness", "motion", "faces")

_COLLECTION = "evidence"
_CHROMA_BATCH = 1000
_writing = threading.RLock()


class Evidence(BaseModel, frozen=True):
    """One measured thing in the span [start, end), in seconds of the video's own clock."""

    id: str
    kind: Kind
    start: float
    end: float
    value: str
    source: str
    score: float
    speaker: str | None = None


class EvidenceStore:
    """The evidence of one video in one folder.

    `evidence.jsonl` is the truth. The chroma index beside it can be deleted at any time: the next
    search builds it again, as it does when the index is stale or damaged.
    """

    def __init__(self, folder: Path, embedder: Embedder | None = None) -> None:
        self.folder = Path(folder)
        self.path = self.folder / "evidence.jsonl"
        self._embedder = embedder or Embedder()
        self._read: tuple[tuple[int, int], list[Evidence]] | None = None

    def add(self, items: Sequence[Evidence]) -> None:
        """Add evidence with new ids; what is stored already, word for word, is passed over.

        Raises ValueError for an id that stands for something else, InputError when the folder
        cannot be written.
        """
        with _writing:
            stored = {item.id: item for item in self.all()}
            for item in items:
                if stored.setdefault(item.id, item) != item:
                    raise ValueError(f"evidence id {item.id!r} is taken by other evidence")
            self._write(list(stored.values()))

    def all(self) -> list[Evidence]:
        """Return every piece of evidence in the order in which it was added."""
        try:
            stat = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return []
        version = (stat.st_mtime_ns, stat.st_ino)
        if self._read is None or self._read[0] != version:
            lines = self.path.read_text(encoding="utf-8").split("\n")
            self._read = version, [Evidence.model_validate_json(line) for line in lines if line]
        return list(self._read[1])

    def between(
        self, start: float, end: float, kinds: Collection[Kind] | None = None
    ) -> list[Evidence]:
        """Return the evidence whose span meets [start, end), by start time."""
        found = [
            item
            for item in self.all()
            if item.start < end
            and (item.end > start or item.start == item.end == start)
            and (kinds is None or item.kind in kinds)
        ]
        return sorted(found, key=lambda item: item.start)

    def search(
        self, query: str, k: int = 5, kinds: Collection[Kind] | None = None
    ) -> list[tuple[Evidence, float]]:
        """Return up to `k` pieces nearest in meaning to `query`, with cosine scores, best first."""
        with _writing:
            items = self.all()
            if not items or k < 1 or not query.strip() or (kinds is not None and not kinds):
                return []
            vector = self._embedder.embed([query])
            try:
                return self._query(items, vector, k, kinds)
            except MemoryError:
                raise
            except Exception:
                # The index holds nothing that evidence.jsonl does not: whatever is wrong with it
                # (damaged, half written, of another version), a new one is the cure.
                self._drop_index()
                return self._query(items, vector, k, kinds)

    def _query(
        self, items: list[Evidence], vector: Any, k: int, kinds: Collection[Kind] | None
    ) -> list[tuple[Evidence, float]]:
        answer = self._index(items).query(
            query_embeddings=vector,
            n_results=min(k, len(items)),
            where={"kind": {"$in": sorted(kinds)}} if kinds is not None else None,
            include=["distances"],
        )
        by_id = {item.id: item for item in items}
        pairs = zip(answer["ids"][0], answer["distances"][0], strict=True)
        return [(by_id[key], 1.0 - float(distance)) for key, distance in pairs]

    def _index(self, items: list[Evidence]) -> Any:
        """Return the chroma collection that holds exactly `items`, built again if it does not."""
        import chromadb

        client = chromadb.PersistentClient(
            path=str(self.folder / "chroma"),
            settings=chromadb.Settings(anonymized_telemetry=False),
        )
        content = hashlib.sha256(self.path.read_bytes()).hexdigest()
        names = [collection.name for collection in client.list_collections()]
        if _COLLECTION in names:
            collection = client.get_collection(_COLLECTION, embedding_function=None)
            # A build that was cut short has the hash but not the rows.
            whole = collection.count() == len(items)
            if whole and (collection.metadata or {}).get("content") == content:
                return collection
            client.delete_collection(_COLLECTION)
        collection = client.create_collection(
            _COLLECTION,
            configuration={"hnsw": {"space": "cosine"}},
            metadata={"content": content},
            embedding_function=None,
        )
        vectors = self._embedder.embed([searchable(item) for item in items])
        for first in range(0, len(items), _CHROMA_BATCH):
            part = slice(first, first + _CHROMA_BATCH)
            collection.add(
                ids=[item.id for item in items[part]],
                embeddings=vectors[part],
                metadatas=[{"kind": item.kind} for item in items[part]],
            )
        return collection

    def _drop_index(self) -> None:
        from chromadb.api.shared_system_client import SharedSystemClient

        # Chroma keeps one open system per path in the process; it must not outlive the files.
        SharedSystemClient.clear_system_cache()
        shutil.rmtree(self.folder / "chroma", ignore_errors=True)

    def _write(self, items: list[Evidence]) -> None:
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with temporary.open("w", encoding="utf-8") as file:
                file.writelines(item.model_dump_json(exclude_none=True) + "\n" for item in items)
            temporary.replace(self.path)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise InputError(
                f"Cannot write evidence in {self.folder} ({error.strerror}); "
                "free some space or choose another folder with --out."
            ) from error


def searchable(item: Evidence) -> str:
    """Return the sentence or words that stand for `item` in a search by meaning."""
    if item.kind in (*TEXTS, "shot"):
        return item.value
    return f"{item.kind}: {item.value}"
