"""Agreement, diagnostics, audits and annotator models, all computed from counts.

Each function takes sufficient counts (how often two labelers said what, how many items got which
ratings), so its work grows with the categories, not with the rows. Nothing here knows storage.
"""
