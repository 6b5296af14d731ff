"""The hub that backbones come from, which a machine may be cut off from."""

TIMEOUT = 10.0


def can_be_asked(name: str) -> bool:
    """Say whether the hub answers about a model, within `TIMEOUT` seconds.

    Where it does not, a model has to come from the cache: each of its files would be asked for six
    times, over half a minute.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        HfApi().model_info(name, timeout=TIMEOUT)
    except (HfHubHTTPError, HFValidationError):
        return True
    except Exception:
        # Whatever its client raises without a connection, a name or time.
        return False
    return True
