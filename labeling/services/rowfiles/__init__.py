"""Stream the rows of a file, whatever it is: JSON Lines, JSON, CSV, Parquet; gzip or zip around.

What a file is follows from its content, not from its name. Memory does not grow with the file.
"""

from labeling.services.rowfiles.files import FileKind, RowFile, open_rows
from labeling.services.rowfiles.lines import FileRow

__all__ = ["FileKind", "FileRow", "RowFile", "open_rows"]
