"""The corpus file: one schema, the same bytes each time, read by `datasets` and by TRL's rules."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from training.corpus import Message, Record, corpus_hash, read_corpus, write_corpus
from training.errors import NKRError


def make(**other: object) -> Record:
    messages = [
        Message(role="user", content="What is said at 00:03?\u2028“Zoë” 灯\x85"),
        Message(role="assistant", content="Nothing; a line\nbreak."),
    ]
    made = {"id": "r1", "video_id": "v", "kind": "qa", "form": "open/speech", "messages": messages}
    return Record.model_validate({**made, **other})


RECORDS = [
    make(),
    make(id="r2", spans=[(0.0, 1.5)], fact_ids=["f1"], sources=["e1"], verdict="supported"),
    make(id="r3", kind="absent", form="absent/title", split="check"),
]


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    write_corpus(tmp_path / "corpus.jsonl", RECORDS)
    assert read_corpus(tmp_path / "corpus.jsonl") == RECORDS
    assert [path.name for path in tmp_path.iterdir()] == ["corpus.jsonl"]


def test_the_same_records_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_corpus(tmp_path / name, [Record.model_validate(r.model_dump()) for r in RECORDS])
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert corpus_hash(tmp_path / "a") == corpus_hash(tmp_path / "b")
    write_corpus(tmp_path / "b", RECORDS[:2])
    assert corpus_hash(tmp_path / "a") != corpus_hash(tmp_path / "b")


def test_an_older_file_stays_when_writing_fails(tmp_path: Path) -> None:
    path = tmp_path / "corpus.jsonl"
    write_corpus(path, RECORDS)

    def broken() -> object:
        yield RECORDS[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_corpus(path, broken())  # type: ignore[arg-type]
    assert read_corpus(path) == RECORDS


def test_the_datasets_library_reads_it(tmp_path: Path) -> None:
    from datasets import load_dataset

    write_corpus(tmp_path / "corpus.jsonl", RECORDS)
    rows = load_dataset(
        "json",
        data_files=str(tmp_path / "corpus.jsonl"),
        split="train",
        cache_dir=str(tmp_path / "cache"),
    )
    assert rows[0]["messages"] == [message.model_dump() for message in RECORDS[0].messages]
    assert rows["spans"][1] == [[0.0, 1.5]]
    assert rows["split"][2] == "check"


def test_a_record_tells_its_question_answer_and_category() -> None:
    assert RECORDS[2].question.startswith("What is said")
    assert RECORDS[2].answer.startswith("Nothing")
    assert RECORDS[2].category == "absent"


@pytest.mark.parametrize(
    "wrong",
    [
        {"form": "open"},
        {"form": "riddle/title"},
        {"kind": "riddle"},
        {"split": "test"},
        {"messages": [{"role": "user", "content": "?"}]},
        {"messages": [{"role": "assistant", "content": "a"}, {"role": "user", "content": "q"}]},
        {
            "messages": [
                {"role": "user", "content": ""},
                {"role": "assistant", "content": "a"},
            ]
        },
        {"colour": "blue"},
    ],
)
def test_what_is_no_record_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        make(**wrong)


def test_a_missing_corpus_is_told(tmp_path: Path) -> None:
    with pytest.raises(NKRError, match="no corpus at"):
        read_corpus(tmp_path / "corpus.jsonl")


@pytest.mark.parametrize("line", ["{}", "not json", "", '{"id": 3}'])
def test_a_line_that_is_no_record_is_told(tmp_path: Path, line: str) -> None:
    path = tmp_path / "corpus.jsonl"
    write_corpus(path, RECORDS)
    path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    with pytest.raises(NKRError, match=r"Line 4 of .* is not a corpus record"):
        read_corpus(path)


def test_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    (tmp_path / "corpus.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(NKRError, match="not UTF-8"):
        read_corpus(tmp_path / "corpus.jsonl")
