"""The error that a bad video, or a place that cannot be written, is reported with."""


class InputError(ValueError):
    """A video (or its folder) cannot be used; the message is one sentence for the user."""
