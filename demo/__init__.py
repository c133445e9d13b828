"""The sample world: arithmetic whose truth is known, and a tiny checkpoint trained on it."""
