"""Three hours of 1080p, from the video to the NKR, and the memory that takes."""

import resource
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from evals.faults.subject import Tried, say
from evals.sample_clip import COLOURS, Slide, draw_slide

HOURS, EVERY = 3, 60
SIZE = (1920, 1080)
FPS = 2
MINUTES = 12
GIB = 2.0


def three_hours(folder: Path) -> Tried:
    """Distil three hours of 1080p in a few minutes, and take the memory of the whole process."""
    video = write_long(folder / "three-hours.mp4")
    command = [
        sys.executable,
        "-m",
        "graphs.distill",
        f"--video={video}",
        f"--out={folder / 'runs'}",
    ]
    say(f"{video.stat().st_size / 1e6:.0f} MB of {HOURS} h")
    done = subprocess.run([*command, f"--max-minutes={MINUTES}"], capture_output=True, text=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (1 << 20)
    say(f"exit {done.returncode}, {peak:.2f} GiB at most\n{done.stderr[-1500:]}")
    lost = []
    if done.returncode:
        lost.append(done.stderr.strip().splitlines()[-1][:300])
    if peak >= GIB:
        lost.append(f"{peak:.2f} GiB at most")
    return Tried(f"{HOURS} hours of 1080p under {GIB:.0f} GiB ({peak:.2f} GiB at most)", 1, lost)


def write_long(path: Path) -> Path:
    """Write the video: another slide every minute, at a low bitrate."""
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_suffix(".part.mp4")
    with av.open(str(whole), "w") as container:
        stream: Any = container.add_stream(
            "libx264", rate=FPS, options={"preset": "ultrafast", "crf": "35"}
        )
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.codec_context.gop_size = 20
        colours = list(COLOURS)
        for minute in range(HOURS * 3600 // EVERY):
            colour = colours[minute % len(colours)]
            slide = Slide(EVERY, colour, f"Chapter {minute + 1}", f"Page {minute * 7 + 3}", ())
            image = np.asarray(draw_slide(slide).resize(SIZE))
            for step in range(EVERY * FPS):
                frame = av.VideoFrame.from_ndarray(image, format="rgb24")
                frame.time_base, frame.pts = Fraction(1, FPS), minute * EVERY * FPS + step
                container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    whole.replace(path)
    return path
