"""Measurements that promises rest on: `make bench-…` prints one JSON line each."""
