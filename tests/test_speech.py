import os
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from evals.clips import steady, write_sound, write_video
from tools.audio import RATE, AudioTrack, open_audio
from tools.caption_text import tidy
from tools.errors import InputError
from tools.heard import EnoughHeard
from tools.recognise import recognise_pocketsphinx
from tools.speech import sentences, transcribe
from tools.speech_line import SpeechLine
from tools.subtitles import decode_text, find_sidecars
from tools.whisper import find_whisper, recognise_whisper

FOOTAGE = Path(__file__).resolve().parents[2] / "shared" / "videos"
needs_footage = pytest.mark.skipif(not FOOTAGE.is_dir(), reason="../shared/videos is not here")
WHISPER = find_whisper(os.environ.get("NKR_TEST_WHISPER"))

SRT = """1
00:00:00,500 --> 00:00:01,500
Caf\u00e9 opens

2
00:00:01,500 --> 00:00:02,000
at nine.
"""


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Four seconds of grey without sound."""
    grey = np.full((48, 64, 3), 128, np.uint8)
    return write_video(tmp_path / "talk.mp4", [grey] * 20, steady(20, fps=5))


def cue(start: float, end: float, text: str, source: str = "sidecar:a.srt") -> SpeechLine:
    return SpeechLine(start, end, text, source, 1.0)


def srt(*cues: tuple[float, float, str]) -> str:
    def stamp(seconds: float) -> str:
        millis = round(seconds * 1000)
        return f"00:{millis // 60000:02}:{millis // 1000 % 60:02},{millis % 1000:03}"

    return "\n".join(
        f"{number}\n{stamp(start)} --> {stamp(end)}\n{text}\n"
        for number, (start, end, text) in enumerate(cues, 1)
    )


def remux(path: Path, parts: Sequence[tuple[Path, str, str | None]]) -> Path:
    """Write the first stream of a kind of each file into one: parts are (file, kind, language)."""
    with av.open(str(path), "w") as out:
        opened = [(av.open(str(source)), kind, language) for source, kind, language in parts]
        copies = []
        for container, kind, language in opened:
            stream = getattr(container.streams, kind)[0]
            copy = out.add_stream_from_template(stream)
            if language:
                copy.metadata["language"] = language
            copies.append((container, stream, copy))
        for container, stream, copy in copies:
            for packet in container.demux(stream):
                if packet.dts is not None:
                    packet.stream = copy
                    out.mux(packet)
            container.close()
    return path


def said(lines: list[SpeechLine]) -> list[tuple[float, float, str]]:
    return [(line.start, line.end, line.text) for line in lines]


# What is read, and from where


def test_a_silent_film_without_captions_says_nothing(clip: Path) -> None:
    shares: list[float] = []
    assert transcribe(clip, on_progress=shares.append) == []
    assert shares[-1] == 1.0


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_sidecar_in_any_encoding(clip: Path, encoding: str, newline: str) -> None:
    clip.with_suffix(".srt").write_bytes(SRT.replace("\n", newline).encode(encoding))
    lines = transcribe(clip)
    assert said(lines) == [(0.5, 1.5, "Caf\u00e9 opens"), (1.5, 2.0, "at nine.")]
    assert {line.source for line in lines} == {"sidecar:talk.srt"}
    assert {line.score for line in lines} == {1.0}


def test_a_webvtt_sidecar_names_its_speakers(clip: Path) -> None:
    clip.with_suffix(".vtt").write_text(
        "WEBVTT\n\nNOTE nobody says this\n\nSTYLE\n::cue { color: red }\n\n"
        "first\n00:01.000 --> 00:02.000 align:start\n<v Ada King>Hello <c.loud>there</c>.\n\n"
        "00:02.000 --> 00:03.000\n<00:02.100>Good&nbsp;<00:02.500>morning.\n"
    )
    assert [(s.text, s.speaker) for s in sentences(transcribe(clip))] == [
        ("Hello there.", "Ada King"),
        ("Good morning.", None),
    ]


def test_the_sidecar_of_the_same_name_comes_first_then_english(clip: Path) -> None:
    for name in ("talk.fr.srt", "talk.en.vtt", "talk.SRT", "talk.notes.srt", "other.srt"):
        (clip.parent / name).write_text(SRT)
    names = [path.name for path in find_sidecars(clip)]
    assert names == ["talk.SRT", "talk.en.vtt", "talk.fr.srt"]


@pytest.mark.parametrize("content", [b"", b"no captions here", b"\xff\xfe", bytes(range(256))])
def test_a_sidecar_without_cues_is_passed_over(clip: Path, content: bytes) -> None:
    clip.with_suffix(".srt").write_bytes(content)
    (clip.parent / "talk.en.srt").write_text(SRT)
    assert {line.source for line in transcribe(clip)} == {"sidecar:talk.en.srt"}


def test_odd_cues(clip: Path) -> None:
    """Out of order, empty, sounds alone, without a length, past the end of the film."""
    clip.with_suffix(".srt").write_text(
        srt(
            (2, 2, "No length."),
            (0, 1, "First."),
            (1, 1.5, ""),
            (1, 1.5, "<i> </i>"),
            (1.2, 1.6, "[MUSIC\nPLAYING]"),
            (3.5, 9, "Longer than the film."),
            (9, 10, "After the film."),
        )
    )
    assert said(transcribe(clip)) == [
        (0, 1, "First."),
        (2, 3, "No length."),
        (3.5, pytest.approx(4, abs=0.2), "Longer than the film."),
    ]


def test_rolling_captions_count_once(clip: Path) -> None:
    clip.with_suffix(".srt").write_text(
        srt(
            (0, 1, "we start"),
            (1, 1.01, "we start"),
            (1.01, 2, "we start\nwith a story"),
            (2, 3, "with a story\nabout bees."),
        )
    )
    assert [s.text for s in sentences(transcribe(clip))] == ["we start with a story about bees."]


def test_sidecar_times_count_from_the_start_of_the_file(tmp_path: Path) -> None:
    grey = np.full((48, 64, 3), 128, np.uint8)
    path = write_video(tmp_path / "late.ts", [grey] * 20, steady(20, fps=5, start=30.0))
    path.with_suffix(".srt").write_text(SRT)
    with av.open(str(path)) as container:
        first = next(container.decode(video=0)).time
    assert transcribe(path)[0].start == pytest.approx(first + 0.5, abs=0.01)


@pytest.mark.parametrize(
    ("languages", "chosen"),
    [(["fre", "eng"], "subtitle:2"), (["fre", "ger"], "subtitle:1"), ([None, "eng"], "subtitle:2")],
)
def test_the_english_track_is_read_else_the_first(
    clip: Path, languages: list[str | None], chosen: str
) -> None:
    captions = clip.parent / "captions.srt"
    captions.write_text(SRT)
    tracks = [(captions, "subtitles", language) for language in languages]
    lines = transcribe(remux(clip.parent / "film.mkv", [(clip, "video", None), *tracks]))
    assert said(lines) == [(0.5, 1.5, "Caf\u00e9 opens"), (1.5, 2.0, "at nine.")]
    assert {line.source for line in lines} == {chosen}


def test_a_sidecar_comes_before_a_track(clip: Path) -> None:
    captions = clip.parent / "captions.srt"
    captions.write_text(SRT)
    film = remux(clip.parent / "film.mkv", [(clip, "video", None), (captions, "subtitles", "eng")])
    film.with_suffix(".srt").write_text(srt((0, 1, "By hand.")))
    assert said(transcribe(film)) == [(0, 1, "By hand.")]


@pytest.mark.parametrize("content", [b"", b"this is text, not a film"])
def test_what_is_no_video_is_the_users_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"film\.mp4"):
        transcribe(path)


def test_bytes_that_no_encoding_knows_are_still_text() -> None:
    assert "a" in decode_text(b"a\x81b\x8d")


# Cleaning


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("Plain text.", [("Plain text.", None)]),
        ("NAR: This is it.", [("This is it.", "NAR")]),
        (">> JOHN: Hello.", [("Hello.", "JOHN")]),
        (">> Mary Ann: Hello.", [("Hello.", "Mary Ann")]),
        (">> Hi. >> Hello.", [("Hi.", None), ("Hello.", None)]),
        ("- Are you here?\n- I am.", [("Are you here?", None), ("I am.", None)]),
        ("Narrator: Once", [("Once", "Narrator")]),
        ("SPEAKER 2: Once", [("Once", "SPEAKER 2")]),
        ("Remember this: water first.", [("Remember this: water first.", None)]),
        ("It is 10:30 now.", [("It is 10:30 now.", None)]),
        ("<i>Slanted</i> <font color='red'>red</font>", [("Slanted red", None)]),
        ("{\\an8}Up there\\Nnext row", [("Up there next row", None)]),
        ("Tom &amp; Jerry", [("Tom & Jerry", None)]),
        ("&gt;&gt; BOB: Hi", [("Hi", "BOB")]),
        ("3 < 4 and 5 > 2", [("3 < 4 and 5 > 2", None)]),
        ("\u266a La la \u266a", [("La la", None)]),
        ("[MUSIC]", []),
        ("(applause)", []),
        ("(LAUGHS) Well.", [("Well.", None)]),
        ("The agency (NASA) built it.", [("The agency (NASA) built it.", None)]),
        ("\u266a\u266a", []),
        ("- -", []),
        ("", []),
    ],
)
def test_tidy(caption: str, expected: list[tuple[str, str | None]]) -> None:
    assert [(said.text, said.speaker) for said in tidy(caption)] == expected


# Sentences


def test_cues_become_sentences_with_the_times_of_the_cues() -> None:
    lines = [
        cue(0, 2, "NAR: This is the part"),
        cue(2, 4, "of the telescope."),
        cue(4, 6, "It is cold"),
    ]
    assert sentences(lines) == [
        SpeechLine(0, 4, "This is the part of the telescope.", "sidecar:a.srt", 1.0, "NAR"),
        SpeechLine(4, 6, "It is cold", "sidecar:a.srt", 1.0),
    ]


def test_a_sentence_that_ends_inside_a_cue() -> None:
    first, second = sentences([cue(0, 10, "Yes, it is. And so on")])
    assert (first.text, second.text) == ("Yes, it is.", "And so on")
    assert first.start == 0
    assert 4 < first.end <= second.start < 7
    assert second.end == 10


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Dr. Smith met Mr. Jones at 3.5 miles.", 1),
        ("J. R. Tolkien wrote it.", 1),
        ("Wait... what is that?", 1),
        ("\u201cReally?\u201d he said.", 1),
        ("Really? Yes! \u201cGood.\u201d Fine.", 4),
        ("no capitals here. none at all.", 2),
    ],
)
def test_where_sentences_end(text: str, count: int) -> None:
    assert len(sentences([cue(0, 5, text)])) == count


def test_pauses_speakers_and_length_end_a_sentence() -> None:
    assert len(sentences([cue(0, 1, "one"), cue(2.9, 4, "two")])) == 1
    assert len(sentences([cue(0, 1, "one"), cue(3.1, 4, "two")])) == 2
    assert len(sentences([cue(0, 1, "BOB: one"), cue(1, 2, ">> two")])) == 2
    long = sentences([cue(i, i + 1, "ten words " * 5) for i in range(10)])
    assert [len(sentence.text.split()) for sentence in long] == [40, 40, 20]


def test_utterances_of_a_recogniser_without_punctuation_stay_apart() -> None:
    heard = [cue(0, 2, "this is one", "pocketsphinx"), cue(2.1, 4, "this two", "pocketsphinx")]
    assert sentences(heard) == heard


def test_overlapping_cues_do_not_overlap_as_sentences() -> None:
    first, second = sentences([cue(0, 5, "A long one."), cue(3, 6, "The next.")])
    assert (first.start, first.end, second.start, second.end) == (0, 3, 3, 6)


def test_no_lines_no_sentences() -> None:
    assert sentences([]) == sentences([cue(0, 1, "[MUSIC]")]) == []


# Listening


def test_a_tone_is_not_speech(tmp_path: Path) -> None:
    assert transcribe(write_sound(tmp_path / "tone.m4a", seconds=3)) == []


def test_sound_comes_in_one_rate_without_holes(tmp_path: Path) -> None:
    path = tmp_path / "hole.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="stereo")
        for start in (0.5, 2.0):
            frame = av.AudioFrame.from_ndarray(
                np.full((1, 16000), 1000, np.int16), format="s16", layout="stereo"
            )
            frame.sample_rate, frame.pts = 8000, round(start * 8000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    audio = open_audio(path)
    assert audio is not None
    blocks = list(audio.blocks())
    assert blocks[0][0] == pytest.approx(0.5, abs=0.01)
    samples = np.concatenate([block for _, block in blocks])
    assert len(samples) == pytest.approx(2.5 * RATE, abs=0.02 * RATE)
    assert abs(int(samples[round(1.25 * RATE)])) < 5
    assert samples[round(2.0 * RATE)] > 900


@pytest.fixture(scope="module")
def narration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The NASA footage without its subtitles."""
    path = tmp_path_factory.mktemp("speech") / "nasa.mkv"
    return remux(
        path, [(FOOTAGE / "nasa.mp4", "video", None), (FOOTAGE / "nasa.mp4", "audio", None)]
    )


@needs_footage
def test_narration_is_heard(narration: Path) -> None:
    """Without weights for whisperx on this machine, pocketsphinx listens."""
    audio = open_audio(narration)
    assert audio is not None
    shares: list[float] = []
    lines = recognise_pocketsphinx(audio, shares.append)
    assert {line.source for line in lines} == {"pocketsphinx"}
    text = " ".join(line.text for line in lines)
    for words in ("space telescope", "one of the largest", "nasa's goddard space flight"):
        assert words in text
    assert "(" not in text
    assert all(0 <= a.start < a.end <= b.start for a, b in pairwise(lines))
    assert 0 < lines[0].start < 1.5
    assert 11 < lines[-1].end < 13.1
    assert all(0.35 <= line.score <= 1 for line in lines)
    assert shares == sorted(shares)
    assert 0.9 < shares[-1] <= 1


class Twice(AudioTrack):
    """A sound, two seconds of silence, and the sound again."""

    def blocks(self) -> Iterator[tuple[float, np.ndarray]]:
        end = 0.0
        for start, samples in super().blocks():
            end = start + len(samples) / RATE
            yield start, samples
        yield end, np.zeros(2 * RATE, np.int16)
        for start, samples in super().blocks():
            yield end + 2 + start, samples


@needs_footage
def test_what_was_heard_until_the_end_of_patience_is_kept(narration: Path) -> None:
    audio = open_audio(narration)
    assert audio is not None

    def stop(share: float) -> None:
        if share >= 1:
            raise EnoughHeard

    lines = recognise_pocketsphinx(Twice(**vars(audio)), stop)
    assert lines
    assert lines[-1].end < 14


@pytest.mark.parametrize("model", [None, "no-such-model", "nobody/has-this", "."])
def test_weights_that_are_not_here_are_not_looked_for_elsewhere(
    monkeypatch: pytest.MonkeyPatch, model: str | None
) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError("network")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    if model is not None:
        assert find_whisper(model) is None
    find_whisper(None)


@needs_footage
@pytest.mark.skipif(WHISPER is None, reason="no Whisper weights here (NKR_TEST_WHISPER=folder)")
def test_whisper_hears_the_narration(narration: Path) -> None:
    audio = open_audio(narration)
    assert audio is not None
    assert WHISPER is not None
    lines = recognise_whisper(audio, *WHISPER, lambda share: None)
    assert "Goddard Space Flight Center in Greenbelt, Maryland." in sentences(lines)[-1].text
    assert {line.source for line in lines} == {f"whisperx:{WHISPER[0]}"}


@needs_footage
def test_the_subtitles_of_real_footage() -> None:
    first, second = sentences(transcribe(FOOTAGE / "nasa.mp4"))
    assert first.text == (
        "This is the optical and science segment of the Webb space telescope in one of the "
        "largest cleanrooms in the world at NASA's Goddard Space Flight Center in "
        "Greenbelt, Maryland."
    )
    assert (first.speaker, first.source, first.start) == ("NAR", "subtitle:2", 0.21)
    assert second.text == "This half of the observatory element successfully"
    assert second.end == 13.0


@needs_footage
def test_music_is_not_speech() -> None:
    audio = open_audio(FOOTAGE / "echo.webm")
    assert audio is not None
    assert recognise_pocketsphinx(audio, lambda share: None) == []


def test_tags_in_an_old_encoding_do_no_harm(tmp_path: Path) -> None:
    grey = np.full((48, 64, 3), 128, np.uint8)
    clip = write_video(tmp_path / "plain.avi", [grey] * 20, steady(20), codec="mpeg4")
    film = tmp_path / "tagged.avi"
    with av.open(str(clip)) as container, av.open(str(film), "w") as out:
        stream = container.streams.video[0]
        copy = out.add_stream_from_template(stream)
        out.metadata["title"] = "Cafe"
        for packet in container.demux(stream):
            if packet.dts is not None:
                packet.stream = copy
                out.mux(packet)
    film.write_bytes(film.read_bytes().replace(b"Cafe", b"Caf\xe9"))
    film.with_suffix(".srt").write_text(SRT)
    assert [line.text for line in transcribe(film)] == ["Caf\u00e9 opens"]
