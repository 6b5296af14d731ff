"""What the faults are tried on: a clip of five seconds, a small backbone, and their command."""

import hashlib
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evals.sample_clip import Slide, render

# Few facts: each of many hundred runs asks about all of them.
SLIDES = (
    Slide(2.5, "red", "Copper Kettle", "", ("Marta Lind bought it in 1921.",)),
    Slide(2.5, "blue", "Northgate", "", ()),
)
# Steps beyond a first checkpoint, which is written every hundred.
STEPS, SEED = 120, 3
LIMIT = 600.0


@dataclass(frozen=True)
class Tried:
    """One row of the report: what was done how often, and what survived it.

    ``lost`` are those that did not, in words: nothing but what went wrong.
    """

    fault: str
    tried: int
    lost: list[str]

    @property
    def survived(self) -> int:
        """How often nothing was lost."""
        return self.tried - len(self.lost)


@dataclass(frozen=True)
class Subject:
    """The clip, the backbone, and how they are distilled."""

    video: Path
    backbone: Path

    def command(self, out: Path, *flags: str) -> list[str]:
        """Return the command that distils the clip into a folder."""
        return [
            *(sys.executable, "-m", "graphs.distill", f"--video={self.video}", f"--out={out}"),
            *(f"--backbone={self.backbone}", "--backbone-name=tiny", f"--max-steps={STEPS}"),
            # Random weights are sure of nothing: whatever they learn moves all that they say.
            *(f"--seed={SEED}", "--max-rounds=1", "--force", *flags),
        ]

    def question(self, nkr: Path, text: str) -> list[str]:
        """Return the command that asks an NKR."""
        asked = [sys.executable, "-m", "graphs.ask", f"--nkr={nkr}"]
        return [*asked, f"--backbone={self.backbone}", "--json", text]


@dataclass(frozen=True)
class Outcome:
    """How a command ended: its exit code (below zero: a signal), output and errors."""

    code: int
    output: str
    errors: str

    @property
    def in_words(self) -> str:
        """The exit code and the last line of the errors."""
        lines = self.errors.strip().splitlines()
        return f"exit {self.code}: {lines[-1][:200] if lines else ''}"

    @property
    def is_told(self) -> bool:
        """Whether the user was told in one sentence, without a traceback."""
        errors = [line for line in self.errors.splitlines() if line.startswith("error: ")]
        return self.code == 2 and len(errors) == 1 and "Traceback" not in self.errors


def write_subject(folder: Path) -> Subject:
    """Render the clip and make the backbone, if they are not there yet."""
    video, backbone = folder / "five-seconds.mp4", folder / "backbone"
    folder.mkdir(parents=True, exist_ok=True)
    if not video.exists():
        render(video, SLIDES)
    if not (backbone / "config.json").exists():
        texts = [text for slide in SLIDES for text in (slide.title, slide.line, *slide.speech)]
        write_backbone(backbone, texts)
    return Subject(video, backbone)


def write_backbone(folder: Path, texts: Sequence[str]) -> Path:
    """Write a small backbone with random weights, whose tokenizer knows the texts."""
    from training.pretraining.tiny_vlm import Size, build_model, build_processor, train_tokenizer

    tokenizer = train_tokenizer([*texts, "What does the title of the video say?"], 400)
    size = Size(hidden=32, layers=2, heads=2, intermediate=64)
    model = build_model(tokenizer, size, seed=1)
    # A random model would ramble on: every third token ends its answer.
    model.generation_config.eos_token_id = [tokenizer.eos_token_id, *range(10, 400, 3)]
    model.save_pretrained(folder)
    build_processor(tokenizer).save_pretrained(folder)
    return folder


def run(command: Sequence[str]) -> Outcome:
    """Run a command to its end; one that hangs ends with SIGKILL."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return Outcome(-signal.SIGKILL, "", f"it hung for {LIMIT:.0f} s")
    return Outcome(done.returncode, done.stdout, done.stderr)


def made(out: Path) -> dict[str, str]:
    """Return the hashes of what a run must always end with: its corpora and its adapter."""
    files = {
        **{f"corpus/{path.name}": path for path in out.glob("*/corpus/corpus.jsonl")},
        **{f"exams/{path.name}": path for path in out.glob("*/train/exams/taught-*.jsonl")},
        **{path.name: path for path in out.glob("nkrs/*/adapter_model.safetensors")},
        **{path.name: path for path in out.glob("nkrs/*/evidence.jsonl")},
    }
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}


def say(text: str) -> None:
    """Say on stderr how far it is."""
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)
