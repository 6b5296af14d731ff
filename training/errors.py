"""The error that a bad backbone, corpus or NKR is reported with."""


class NKRError(ValueError):
    """A backbone, a corpus or an NKR cannot be used; the message is one sentence for the user."""
