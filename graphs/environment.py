"""What has to be set before imports: no telemetry, no chatter, no needless network or memory."""

import logging
import os
import warnings

# No library tells anybody that it is used, and none asks for what is not needed.
_PRIVATE = {
    "ANONYMIZED_TELEMETRY": "False",
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "LANGGRAPH_CLI_NO_ANALYTICS": "1",
    "LANGSMITH_TRACING": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # Else it fetches a list of prices for every call that it sees.
    "MLFLOW_MODEL_CATALOG_URI": "",
}
# A CPU compiles a product for every size it meets; oneDNN and torch's layer over it keep a thousand
# each, which a training fills with a gigabyte.
_SMALL = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64", "LRU_CACHE_CAPACITY": "32"}
_QUIET = {
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "TRANSFORMERS_VERBOSITY": "error",
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
    "TRL_EXPERIMENTAL_SILENCE": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "ORT_LOGGING_LEVEL": "3",
    "OPENCV_LOG_LEVEL": "ERROR",
}
# What warns in these is about the user's own run, and is told.
_OURS = ("agents", "graphs", "tools", "training")


def keep_private() -> None:
    """Switch telemetry off; what the user has set in the environment stays."""
    for name, value in _PRIVATE.items():
        os.environ.setdefault(name, value)


def prepare(*, offline: bool) -> None:
    """Quieten the libraries for a command line; what the user has set in the environment stays.

    ``offline`` keeps the hub's client off the network: nothing is asked for that is not here.
    """
    keep_private()
    for name, value in {**_QUIET, **_SMALL}.items():
        os.environ.setdefault(name, value)
    if offline:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    warnings.filterwarnings("ignore")
    logging.captureWarnings(True)
    logging.getLogger().setLevel(logging.ERROR)
    for package in _OURS:
        logging.getLogger(package).setLevel(logging.WARNING)
