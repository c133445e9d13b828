"""The operator's view of the rows. Services write them: here they are read, and acted on."""

from labeling.admin import engines, operated, rows

__all__ = ["engines", "operated", "rows"]
