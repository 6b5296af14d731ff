"""Part files: what one branch wrote, named by what it was made from, read again at the join."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from langgraph.cache.base import FullKey
from langgraph.cache.sqlite import SqliteCache
from pydantic import BaseModel

Model = TypeVar("Model", bound=BaseModel)


def work_key(work: Mapping[str, Any]) -> str:
    """Return the key of a branch's work; the same content under another path has the same key.

    What was described before does not count: a span that is mended would have its chapter redone.
    """
    left = ("video_path", "total", "before")
    told = {name: value for name, value in work.items() if name not in left}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


@cache
def code_hash(*names: str) -> str:
    """Return a hash over modules, and packages with their word lists: changed makers make again."""
    digest = hashlib.sha256()
    for name in names:
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        folders = spec.submodule_search_locations
        found = [path for folder in folders or () for path in sorted(Path(folder).rglob("*"))]
        for path in found or [Path(spec.origin)]:
            if path.suffix in (".py", ".toml", ".txt"):
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def write_part(folder: Path, stage: str, work: Mapping[str, Any], items: Sequence[Model]) -> str:
    """Write ``items`` as JSON Lines under a name made of the work; return the path."""
    path = folder / f"{stage}-{work['index']:05d}-{work_key(work)[:12]}.jsonl"
    folder.mkdir(parents=True, exist_ok=True)
    write_text(path, "".join(item.model_dump_json() + "\n" for item in items))
    return str(path)


def read_part(path: str | Path, model: type[Model]) -> list[Model]:
    """Read what `write_part` wrote."""
    lines = Path(path).read_text(encoding="utf-8").split("\n")
    return [model.model_validate_json(line) for line in lines if line]


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def sums(*paths: str | Path) -> dict[str, str]:
    """Return ``<bytes>:<SHA-256>`` of files by their path, for the state to remember."""
    return {str(path): _sum(Path(path).read_bytes()) for path in paths}


def are_whole(known: Mapping[str, str]) -> bool:
    """Say whether all files are there, and begin with what `sums` saw of them.

    The corpus grows: a run that was stopped may have written more than it had noted.
    """
    try:
        return all(
            _sum(Path(path).read_bytes()[: int(told.partition(":")[0])]) == told
            for path, told in known.items()
        )
    except OSError:
        return False


def _sum(data: bytes) -> str:
    return f"{len(data)}:{hashlib.sha256(data).hexdigest()}"


def sweep(folder: Path) -> None:
    """Remove what a killed process had half written."""
    for path in folder.rglob(".*"):
        if path.is_file():
            path.unlink()


class PartCache(SqliteCache[Any]):
    """Node results that can be used again: whole ones whose files are still what they were.

    A branch that was left out or failed is not kept, and one whose file was changed is not found.
    """

    def get(self, keys: Sequence[FullKey]) -> dict[FullKey, Any]:
        """Return the kept results of ``keys``."""
        return {
            key: writes
            for key, writes in super().get(keys).items()
            if (known := _sums(writes)) and are_whole(known)
        }

    def set(self, mapping: Mapping[FullKey, tuple[Any, int | None]]) -> None:
        """Keep results, but for those of branches that were left out or failed."""
        whole = {
            key: entry
            for key, entry in mapping.items()
            if all(channel not in ("skipped", "failed") for channel, _ in entry[0])
        }
        super().set(whole)


def _sums(writes: Sequence[tuple[str, Any]]) -> dict[str, str]:
    return {path: sum_ for name, value in writes if name == "sums" for path, sum_ in value.items()}
