"""Labelers' runners: requests to an engine in shared batches. They know no Django."""
