"""The trainer beside the last one that TRL shipped: `make bench-trainer`."""
