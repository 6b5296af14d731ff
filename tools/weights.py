"""Find a model of a hub on this machine, without asking the hub."""

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
        raise InputError(
            f"The {kind} model {name!r} is not on this machine: get it with `hf download {name}` "
            "(some ask you to accept their terms on its page first), or name a folder."
        ) from error
