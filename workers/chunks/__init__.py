"""One leased chunk of a run: read it, let an engine work on it, store what came of it."""
