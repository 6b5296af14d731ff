"""The errors that a bad backbone, corpus, NKR or engine is reported with."""


class NKRError(ValueError):
    """A backbone, a corpus or an NKR cannot be used; the message is one sentence for the user."""


class EngineError(NKRError):
    """The server that generates does not answer as it must: not what was asked is at fault."""
