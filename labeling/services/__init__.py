"""Writes: the only writers, one transaction and one audit event each."""
