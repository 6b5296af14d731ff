"""whisperx with tiny weights: its real loading, batching, aligning and assigning of speakers."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tiny_whisper import SAID, write_aligner, write_whisper

from graphs.commands.main import main
from graphs.distill.context import Context
from graphs.distill.runs import lasting_settings
from tools.audio import AudioTrack, open_audio
from tools.errors import InputError
from tools.evidence import Evidence
from tools.speaker_names import named
from tools.speech import sentences
from tools.speech_line import SpeechLine, TimedWord
from tools.whisper import WhisperModels, find_whisper, recognise_whisper


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    write_whisper(folder / "tiny", multilingual=True)
    write_whisper(folder / "tiny.en", multilingual=False)
    write_aligner(folder / "align")
    return folder


@pytest.fixture(scope="module")
def audio(shared_videos: Path) -> AudioTrack:
    """Real speech: what finds speech in sound is a trained model."""
    found = open_audio(shared_videos / "nasa.mp4")
    assert found is not None
    return found


def heard(audio: AudioTrack, folder: Path, **models: str) -> list[SpeechLine]:
    found = find_whisper(str(folder))
    assert found is not None
    return recognise_whisper(audio, *found, lambda share: None, WhisperModels(**models))


def test_a_model_that_was_fetched_since_is_another_setting(
    weights: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = lasting_settings(Context(), tmp_path / "talk.mp4")
    assert (before["whisper"], before["align"]) == (None, None)

    def fetched(name: str, *, local_files_only: bool) -> str:
        assert local_files_only
        if name != "base":
            raise OSError("not in the cache")
        return str(weights / "tiny")

    monkeypatch.setattr("faster_whisper.download_model", fetched)
    after = lasting_settings(Context(), tmp_path / "talk.mp4")
    assert (after["whisper"], after["align"]) == ("base", None)
    assert lasting_settings(Context(whisper="nope"), tmp_path / "talk.mp4")["whisper"] == "nope"


@pytest.mark.parametrize("model", ["tiny", "tiny.en"])
def test_without_an_aligner_a_chunk_is_one_line(
    audio: AudioTrack, weights: Path, model: str
) -> None:
    (line,) = heard(audio, weights / model)
    assert line.text == SAID
    assert line.source == f"whisperx:{model}"
    assert 0 < line.start < 2
    assert 10 < line.end < 13.5
    assert line.words == ()
    assert [one.text for one in sentences([line])] == [
        "the copper kettle came from northgate.",
        "she bought it in 1921.",
    ]


@pytest.mark.parametrize("model", ["tiny", "tiny.en"])
def test_with_one_every_word_has_its_time(audio: AudioTrack, weights: Path, model: str) -> None:
    lines = heard(audio, weights / model, align=str(weights / "align"))
    words = [word for line in lines for word in line.words]
    assert [word.text for word in words] == SAID.split()
    assert all(word.start < word.end for word in words)
    assert all(a.end <= b.start + 1e-6 for a, b in pairwise(words)), "a number too"
    assert all(type(word.start) is float for word in words)
    first, second = sentences(lines)
    assert (first.start, first.end) == (words[0].start, words[5].end)
    assert (second.start, second.end) == (words[6].start, words[-1].end)


def test_the_progress_goes_up(audio: AudioTrack, weights: Path) -> None:
    shares: list[float] = []
    recognise_whisper(audio, "tiny", weights / "tiny", shares.append)
    assert shares == sorted(shares)
    assert shares
    assert max(shares) <= 1


def test_speakers_are_assigned_by_word(
    audio: AudioTrack, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pipeline's weights ask for a licence: what it finds is given here, the rest is real."""
    aligned = heard(audio, weights / "tiny", align=str(weights / "align"))
    change = aligned[1].words[0].start - 0.005
    asked: list[Any] = []

    class Pipeline:
        def __init__(self, model: str, device: str) -> None:
            asked.append(model)

        def __call__(self, samples: Any) -> pd.DataFrame:
            asked.append(len(samples))
            rows = [(0.0, change, "SPEAKER_00"), (change, 13.0, "SPEAKER_01")]
            return pd.DataFrame(rows, columns=["start", "end", "speaker"])

    monkeypatch.setattr("whisperx.diarize.DiarizationPipeline", Pipeline)
    lines = heard(
        audio, weights / "tiny", align=str(weights / "align"), diarize=str(weights / "align")
    )
    first, second = sentences(lines)
    assert (first.speaker, second.speaker) == ("SPEAKER_00", "SPEAKER_01")
    assert asked[0] == str(weights / "align")
    assert asked[1] > 12 * 16_000


def test_a_sentence_ends_where_the_speaker_changes() -> None:
    words = [("well", "A"), ("yes", "A"), ("no", "B"), ("never", "B")]
    timed = tuple(TimedWord(text, n, n + 0.9, who) for n, (text, who) in enumerate(words))
    line = SpeechLine(0, 4, "well yes no never", "whisperx:tiny", 0.5, "A", timed)
    told = [(one.text, one.speaker, one.start, one.end) for one in sentences([line])]
    assert told == [("well yes", "A", 0, 1.9), ("no never", "B", 2, 3.9)]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--whisper", "small"], "hf download Systran/faster-whisper-small"),
        (["--whisper", "someone/whisper-ct2"], "hf download someone/whisper-ct2"),
        (["--align", "someone/wav2vec2"], "hf download someone/wav2vec2"),
        (["--whisper", "."], "holds no Whisper model"),
        (["--whisper", "/nowhere/tiny"], "no Whisper model in /nowhere/tiny"),
        (["--align", "/nowhere/a"], "no alignment model in /nowhere/a"),
        (["--diarize"], "hf download pyannote/speaker-diarization-community-1"),
    ],
)
def test_weights_that_are_missing_are_told_before_any_work(
    given: list[str],
    told: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError("network")

    monkeypatch.setattr("socket.getaddrinfo", refuse)
    out = ["--out", str(tmp_path / "runs")]
    assert main(["distill", "--video", str(tmp_path / "no.mp4"), *out, *given]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert told in error
    assert not (tmp_path / "runs").exists()


def test_a_folder_without_an_aligner_is_told(audio: AudioTrack, weights: Path) -> None:
    with pytest.raises(InputError, match="alignment model"):
        heard(audio, weights / "tiny", align=str(weights / "tiny"))


# Names of speakers


def said(start: float, end: float, text: str, speaker: str | None) -> Evidence:
    given = {"kind": "speech", "source": "whisperx:tiny", "score": 0.9}
    return Evidence(id=f"s{start}", start=start, end=end, value=text, speaker=speaker, **given)


def title(start: float, end: float, text: str) -> Evidence:
    given = {"kind": "text", "source": "rapidocr", "score": 0.9}
    return Evidence(id=f"t{start}", start=start, end=end, value=text, **given)


def speakers(*evidence: Evidence) -> list[str | None]:
    return [item.speaker for item in named(evidence) if item.kind == "speech"]


ZERO, ONE = "SPEAKER_00", "SPEAKER_01"


def test_who_says_his_name_has_it_everywhere() -> None:
    assert speakers(
        said(0, 2, "Good morning to you all.", ONE),
        said(2, 4, "Hello, I\u2019m Marta Lindqvist from Northgate.", ZERO),
        said(4, 6, "My name is Olav.", ONE),
        said(6, 8, "The kettle is old.", ZERO),
    ) == ["Olav", "Marta Lindqvist", "Olav", "Marta Lindqvist"]


@pytest.mark.parametrize(
    "text", ["I am Norwegian.", "This is Veldra Lighthouse.", "I'm sure.", "Miriam Makeba sang it."]
)
def test_what_is_no_introduction_names_nobody(text: str) -> None:
    assert speakers(said(0, 2, text, ZERO)) == ["Speaker 1"]


def test_a_name_on_the_screen_is_who_speaks_meanwhile() -> None:
    assert speakers(
        title(0, 5, "Ingrid van der Berg"),
        title(5, 9, "Weather"),
        title(0, 12, "Northgate Harbour"),
        said(0, 5, "It rains.", ONE),
        said(5, 12, "It does not.", ZERO),
    ) == ["Ingrid van der Berg", "Speaker 2"]


def test_names_that_captions_give_stay() -> None:
    lines = said(0, 2, "I'm Marta Lindqvist.", "NAR"), said(2, 3, "Well.", None)
    assert speakers(*lines) == ["NAR", None]
