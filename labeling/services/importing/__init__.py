"""The parts of an import: batches, what they change, and how that is written."""
