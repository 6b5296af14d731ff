"""What must be set before a library is imported: no telemetry, no chatter, no needless network."""

import logging
import os
import warnings

_QUIET = {
    "ANONYMIZED_TELEMETRY": "False",
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
    "TRL_EXPERIMENTAL_SILENCE": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "LANGSMITH_TRACING": "false",
    "ORT_LOGGING_LEVEL": "3",
    "OPENCV_LOG_LEVEL": "ERROR",
}


def prepare(*, offline: bool) -> None:
    """Quieten the libraries for a command line; what the user has set in the environment stays.

    ``offline`` keeps the hub's client off the network: nothing is asked for that is not here.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    if offline:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    warnings.filterwarnings("ignore")
    logging.captureWarnings(True)
    logging.getLogger().setLevel(logging.ERROR)
