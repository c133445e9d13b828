"""What an embedded server reports when it cannot run."""


class EmbeddedServerError(RuntimeError):
    """An embedded server cannot start; the text says why and where the log is."""
