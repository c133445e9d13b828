"""Management commands: thin."""
