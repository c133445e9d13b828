"""A long trial of the annotate page by keyboard: `python -m tests.trial` (README.md)."""
