"""The house keeps its rules: floors, file names, the Makefile and the files that the docs name."""

import ast
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FLOORS = {
    "tools": {"tools"},
    "training": {"training"},
    "agents": {"agents", "tools", "training"},
    "graphs": {"graphs", "agents", "tools", "training"},
    "evals": {"evals", "graphs", "agents", "tools", "training"},
}
SOURCES = sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))
needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            names.add(node.module or "")
    return {name.partition(".")[0] for name in names}


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    # The variables of an outer `make test` would change what the inner one does.
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS", "NKR_"))}
    return subprocess.run(
        ["make", *arguments], cwd=ROOT, env=kept, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_downwards_only(path: Path) -> None:
    floor = path.relative_to(ROOT).parts[0]
    assert imported(path) & FLOORS.keys() <= FLOORS[floor]


def test_every_file_is_named_after_what_it_holds() -> None:
    vague = {"utils.py", "util.py", "helpers.py", "common.py", "misc.py"}
    assert [path for path in SOURCES if path.name in vague] == []


@needs_make
def test_help_names_every_target() -> None:
    shown = make("help").stdout
    for target in ("setup", "distill", "demo", "test", "lint", "bench"):
        assert f"make {target}" in shown


@needs_make
@pytest.mark.parametrize(
    "name",
    ["talk.mp4", "a talk.mp4", 'it\'s "the" talk.mp4', "$HOME $x.mp4", "$(shell false).mp4", "-x"],
)
def test_any_file_name_reaches_the_program_as_it_is(name: str, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    program.chmod(0o755)
    done = make("-o", ".venv/.setup", "distill", f"VIDEO={name}", f"RUN={program}", "ARGS=--seed 3")
    expected = ["-m", "graphs.distill", f"--video={name}", "--seed", "3"]
    assert (done.returncode, done.stdout.splitlines()) == (0, expected), done.stderr


@needs_make
def test_without_a_video_distill_is_the_demo() -> None:
    done = make("-o", ".venv/.setup", "distill", "RUN=echo")
    assert done.stdout == "-m evals.demo\n"


@needs_make
def test_a_missing_python_is_told_in_one_sentence() -> None:
    done = make("-B", "setup", "PYTHON=")
    assert done.returncode == 2
    assert "no Python 3.11, 3.12 or 3.13 was found; install one" in done.stderr


def test_ci_runs_the_command_that_the_readme_gives() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert "\nmake test\n" in script
    assert "make test" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda page: page.name
)
def test_every_file_that_a_page_links_to_is_there(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_licence_is_apache_2() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
