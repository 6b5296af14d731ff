"""Both readers give every frame of every clip, upright and at its true time."""

import errno
import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from evals.clips import (
    CLIPS,
    Clip,
    numbered,
    read_number,
    steady,
    write_sound,
    write_sound_with_cover,
)
from evals.clips import write_video as write
from tools.errors import InputError
from tools.video import HAS_DECORD, Frame, VideoReader, file_sha256, look_into, open_video
from tools.video_pyav import PyAVReader

if HAS_DECORD:
    from tools.video_decord import DecordReader

    BACKENDS: list[type[PyAVReader]] = [PyAVReader, DecordReader]
else:
    BACKENDS = [PyAVReader]

# Name of the file, upright size, frames that can be read, start.
FOOTAGE = [
    ("nasa.mp4", (480, 270), 390, 0.0),
    ("echo.webm", (480, 270), 836, 0.0),
    ("persons.mp4", (768, 432), 1394, 0.0),
    ("av1_video.mkv", (640, 360), 125, 0.0),
    ("h264_10bits.mp4", (200, 200), 30, 0.0),
    ("testsrc2_odd_height_444.mp4", (320, 241), 25, 0.0),
    ("testsrc2_odd_width_vp9.mp4", (321, 240), 25, 0.0),
    ("testsrc2_mpeg4.avi", (1280, 720), 30, 0.0),
    ("nasa_13013_rotated.mp4", (270, 480), 17, 0.0),
    ("test_non_zero_start.mp4", (200, 112), 12, 8.333),
    ("corrupted.mp4", (1280, 720), 28, 0.0),
]


def open_with(backend: type[PyAVReader], path: Path) -> VideoReader:
    info, index, _ = look_into(path)
    return backend(info, index)


def numbers(frames: list[Frame]) -> list[int]:
    return [read_number(frame.image) for frame in frames]


def told(path: Path) -> str:
    """The one sentence with which a file is refused."""
    with pytest.raises(InputError) as error:
        open_video(path)
    message = str(error.value)
    assert message.endswith(".")
    assert "\n" not in message
    assert path.name in message
    return message


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", CLIPS)
class TestEveryBackendOnEveryClip:
    @pytest.fixture
    def made(self, name: str, clip: Callable[[str], Clip]) -> Clip:
        return clip(name)

    @pytest.fixture
    def readable(self, made: Clip) -> list[int]:
        return [i for i in range(len(made.times)) if i not in made.unreadable]

    def test_tells_size_and_length(self, backend: type[PyAVReader], made: Clip) -> None:
        info = open_with(backend, made.path).info
        assert (info.width, info.height) == made.size
        assert info.start == pytest.approx(made.times[0], abs=0.001)
        assert info.end == pytest.approx(made.times[-1] + 0.04, abs=0.002)

    def test_streams_all_frames(
        self, backend: type[PyAVReader], made: Clip, readable: list[int]
    ) -> None:
        frames = list(open_with(backend, made.path).stream(0))
        assert numbers(frames) == readable
        assert [f.time for f in frames] == pytest.approx(
            [made.times[i] for i in readable], abs=0.001
        )
        assert all(frame.image.shape == (*made.size[::-1], 3) for frame in frames)
        assert all(frame.image.dtype == np.uint8 for frame in frames)

    def test_scales_down(self, backend: type[PyAVReader], made: Clip, readable: list[int]) -> None:
        frames = list(open_with(backend, made.path).stream(0, max_side=96))
        assert numbers(frames) == readable
        assert {max(frame.image.shape) for frame in frames} == {96}
        tall = made.size[1] > made.size[0]
        assert all((f.image.shape[0] > f.image.shape[1]) == tall for f in frames)

    def test_streams_at_intervals(
        self, backend: type[PyAVReader], made: Clip, readable: list[int]
    ) -> None:
        frames = list(open_with(backend, made.path).stream(0.25))
        slots = [int((made.times[i] - made.times[0] + 1e-4) / 0.25) for i in range(len(made.times))]
        first = [i for i, slot in enumerate(slots) if slot not in slots[:i]]
        assert numbers(frames) == [i for i in first if i in readable]

    def test_gives_frames_at_times(
        self, backend: type[PyAVReader], made: Clip, readable: list[int]
    ) -> None:
        wanted = list(range(0, len(made.times), 7))
        frames = open_with(backend, made.path).frames([made.times[i] + 0.02 for i in wanted])
        assert numbers(list(frames)) == [i for i in wanted if i in readable]

    def test_goes_back(self, backend: type[PyAVReader], made: Clip, readable: list[int]) -> None:
        reader = open_with(backend, made.path)
        for number in reversed(readable):
            assert numbers(list(reader.frames([made.times[number]]))) == [number]


@pytest.mark.parametrize("backend", BACKENDS)
class TestEveryBackendOnFootage:
    @pytest.mark.parametrize(("name", "size", "count", "start"), FOOTAGE)
    def test_reads(
        self,
        backend: type[PyAVReader],
        shared_videos: Path,
        name: str,
        size: tuple[int, int],
        count: int,
        start: float,
    ) -> None:
        reader = open_with(backend, shared_videos / name)
        assert (reader.info.width, reader.info.height) == size
        assert reader.info.start == pytest.approx(start, abs=0.001)
        times = [frame.time for frame in reader.stream(0, max_side=160)]
        assert len(times) == count
        assert times == sorted(times)

    def test_tells_of_damage_once(self, backend: type[PyAVReader], shared_videos: Path) -> None:
        reader = open_with(backend, shared_videos / "corrupted.mp4")
        list(reader.stream(0))
        assert [frame.time for frame in reader.frames([1.0, 2.75, 3.5, 4.5])] == [1.0, 2.7]
        (warning,) = reader.warnings
        assert "corrupted.mp4 is damaged 2.7 s after its start" in warning


@pytest.mark.skipif(not HAS_DECORD, reason="decord has no wheel for this machine")
class TestBackendsAgree:
    @pytest.mark.parametrize("name", ["nasa.mp4", "echo.webm", "nasa_13013_rotated.mp4"])
    def test_on_pictures(self, shared_videos: Path, name: str) -> None:
        both = [open_with(b, shared_videos / name).stream(0.2) for b in BACKENDS]
        for one, other in zip(*both, strict=True):
            assert one.time == other.time
            assert np.abs(one.image.astype(int) - other.image).mean() < 1

    def test_pyav_takes_over_where_decord_is_not(self, clip: Callable[[str], Clip]) -> None:
        code = (
            "import sys; sys.modules['decord'] = None\n"
            "from pathlib import Path; from tools.video import open_video\n"
            "reader = open_video(Path(sys.argv[1]))\n"
            "print(type(reader).__name__, len(list(reader.stream(0))))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(clip("h264").path)], capture_output=True, text=True
        )
        assert done.stdout == "PyAVReader 30\n", done.stderr


class TestReading:
    def test_repeats_a_frame_asked_for_twice(self, clip: Callable[[str], Clip]) -> None:
        reader = open_video(clip("variable rate").path)
        frames = list(reader.frames([0.0, 0.09, 0.3, 0.49, 1.0, 1.9, 4.9]))
        assert numbers(frames) == [0, 2, 2, 2, 4, 4, 8]

    def test_before_the_first_frame_gives_the_first(self, clip: Callable[[str], Clip]) -> None:
        assert numbers(list(open_video(clip("starts late").path).frames([0.0, 1.5]))) == [0, 0]

    def test_wants_ascending_times(self, clip: Callable[[str], Clip]) -> None:
        with pytest.raises(ValueError, match="ascending"):
            list(open_video(clip("h264").path).frames([1.0, 0.5]))

    def test_finds_frames_by_rounded_times(self, clip: Callable[[str], Clip]) -> None:
        made = clip("variable rate")
        times = [float(np.float32(time)) for time in made.times]
        assert numbers(list(open_video(made.path).frames(times))) == list(range(len(times)))

    def test_interleaves(self, clip: Callable[[str], Clip]) -> None:
        reader = open_video(clip("h264").path)
        small, large = reader.stream(0, max_side=96), reader.stream(0)
        pairs = [(read_number(a.image), read_number(b.image)) for a, b in zip(small, large)]  # noqa: B905
        assert pairs == [(i, i) for i in range(30)]

    def test_key_frames(self, clip: Callable[[str], Clip]) -> None:
        reader = open_video(clip("h264").path)
        assert numbers(list(reader.key_frames())) == [0, 10, 20]

    def test_end_of_a_frame(self, clip: Callable[[str], Clip]) -> None:
        reader = open_video(clip("variable rate").path)
        assert reader.end_of(0.7) == pytest.approx(2.0)
        assert reader.end_of(6.0) == pytest.approx(reader.info.end)

    def test_info(self, clip: Callable[[str], Clip]) -> None:
        path = clip("h264").path
        with open_video(path) as reader:
            assert reader.info.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
            assert reader.info.sha256 == file_sha256(path)
            assert reader.info.codec == "h264"
            assert reader.info.fps == pytest.approx(25)
            assert reader.warnings == []

    def test_picks_the_stream_with_most_pixels(self, tmp_path: Path) -> None:
        path = tmp_path / "two.mp4"
        with av.open(str(path), "w") as container:
            for size in [(192, 108), (320, 180)]:
                stream = container.add_stream("libx264", rate=25)
                stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            for number in range(5):
                for stream in container.streams.video:
                    shown = number + (10 if stream.width == 320 else 0)
                    image = numbered(shown, (stream.width, stream.height))
                    frame = av.VideoFrame.from_ndarray(image, format="rgb24")
                    frame.pts = number
                    container.mux(stream.encode(frame))
            for stream in container.streams.video:
                container.mux(stream.encode(None))
        for backend in BACKENDS:
            reader = open_with(backend, path)
            assert (reader.info.width, reader.info.height) == (320, 180)
            assert numbers(list(reader.stream(0))) == [10, 11, 12, 13, 14]

    def test_warns_of_a_short_video(self, clip: Callable[[str], Clip]) -> None:
        (warning,) = open_video(clip("short").path).warnings
        assert warning == "short.mp4 is only 0.40 s long: there is little to learn."

    def test_warns_of_a_file_that_was_cut_off(self, tmp_path: Path) -> None:
        images = [numbered(i) for i in range(100)]
        path = write(tmp_path / "cut.mkv", images, steady(100))
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
        reader = open_video(path)
        (warning,) = reader.warnings
        assert warning.startswith("the pictures of cut.mkv end early:")
        assert 30 < len(list(reader.stream(0))) < 90

    def test_memory_does_not_grow_with_length(self, tmp_path: Path) -> None:
        images = [numbered(i % 256, (1280, 720)) for i in range(300)]
        path = write(tmp_path / "large.mp4", images, steady(300), options={"preset": "ultrafast"})
        code = (
            "import resource, sys; from pathlib import Path; from tools.video import open_video\n"
            "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
            "reader = open_video(Path(sys.argv[1])); before = peak()\n"
            "for frame in reader.stream(0): pass\n"
            "print(peak() - before)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
        )
        assert int(done.stdout) < 250  # MB; all frames at once are 790


class TestBadInput:
    def test_missing(self, tmp_path: Path) -> None:
        assert "does not exist" in told(tmp_path / "missing.mp4")

    def test_folder(self, tmp_path: Path) -> None:
        assert "is a folder" in told(tmp_path)

    def test_empty(self, tmp_path: Path) -> None:
        (tmp_path / "empty.mp4").touch()
        assert "is empty" in told(tmp_path / "empty.mp4")

    @pytest.mark.parametrize("name", ["notes.mp4", "notes.txt", "notes.srt"])
    def test_text(self, tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]) -> None:
        (tmp_path / name).write_text("1\n00:00:01,000 --> 00:00:02,000\nThese are notes.\n\n" * 50)
        told(tmp_path / name)
        assert capfd.readouterr() == ("", "")

    def test_cut_before_its_index(
        self, tmp_path: Path, clip: Callable[[str], Clip], capfd: pytest.CaptureFixture[str]
    ) -> None:
        data = clip("h264").path.read_bytes()
        (tmp_path / "half.mp4").write_bytes(data[: len(data) // 2])
        capfd.readouterr()
        assert "is not a video, or is damaged" in told(tmp_path / "half.mp4")
        assert capfd.readouterr() == ("", "")

    def test_no_picture_decodes(
        self, tmp_path: Path, clip: Callable[[str], Clip], capfd: pytest.CaptureFixture[str]
    ) -> None:
        data = bytearray(clip("h264").path.read_bytes())
        at = data.index(b"mdat") + 4
        data[at : data.index(b"moov") - 4] = bytes(data.index(b"moov") - 4 - at)
        (tmp_path / "zeros.mp4").write_bytes(data)
        capfd.readouterr()
        assert "no picture that can be decoded" in told(tmp_path / "zeros.mp4")
        assert capfd.readouterr() == ("", "")

    def test_sound_only(self, tmp_path: Path) -> None:
        assert "sound but no pictures" in told(write_sound(tmp_path / "tone.m4a"))

    def test_cover_of_music_is_no_video(self, tmp_path: Path) -> None:
        assert "sound but no pictures" in told(write_sound_with_cover(tmp_path / "song.mp4"))

    def test_too_small(self, tmp_path: Path) -> None:
        images = [numbered(i, (32, 32)) for i in range(5)]
        assert "32x32 pixels, too small" in told(write(tmp_path / "dot.mp4", images, steady(5)))

    def test_unordered(self, shared_videos: Path) -> None:
        assert "50x50 pixels, too small" in told(shared_videos / "unordered.mov")

    @pytest.mark.parametrize("name", ["damaged", "h264 in a transport stream"])
    def test_damage_prints_nothing(
        self, name: str, clip: Callable[[str], Clip], capfd: pytest.CaptureFixture[str]
    ) -> None:
        path = clip(name).path
        capfd.readouterr()
        with open_video(path) as reader:
            list(reader.stream(0))
            list(reader.frames([reader.info.start + 0.7]))
        assert capfd.readouterr() == ("", "")

    @pytest.mark.parametrize("lacking", [errno.ENOMEM, errno.EAGAIN])
    def test_too_little_memory_is_not_blamed_on_the_file(
        self, lacking: int, clip: Callable[[str], Clip], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(self: object, position: int) -> None:
            av.error.err_check(-lacking)

        info, index, _ = look_into(clip("h264").path)
        reader = PyAVReader(info, index)
        monkeypatch.setattr("tools.video_pyav._Pass.frames_from", fails)
        with reader, pytest.raises(MemoryError):
            list(reader.stream(0))
        assert reader.warnings == []
