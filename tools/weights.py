"""Find a model of a hub on this machine, without asking the hub."""

import shutil
import sys
from pathlib import Path

from tools.errors import InputError


def folder_of(name: str, kind: str) -> Path:
    """Return the folder of a model: ``name`` itself, or where the hub's cache has it.

    Raises InputError, with the command that gets it, where it is not here.
    """
    from huggingface_hub import snapshot_download

    if Path(name).is_dir():
        return Path(name)
    try:
        return Path(snapshot_download(name, local_files_only=True))
    except (OSError, ValueError) as error:
        raise missing(name, kind, name) from error


def missing(name: str, kind: str, repository: str) -> InputError:
    """Return what a user is told of a model that is not here."""
    if Path(name).is_absolute():
        return InputError(f"There is no {kind} model in {name}: name a folder that holds one.")
    # In a virtual environment that is not active no shell finds it.
    hf = "hf" if shutil.which("hf") else Path(sys.executable).with_name("hf")
    return InputError(
        f"The {kind} model {name!r} is not on this machine: get it with `{hf} download "
        f"{repository}` (some ask you to accept their terms on its page first), or name a folder."
    )
