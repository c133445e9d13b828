"""Freezing a snapshot: what is left out, the files under way, their card, other formats of them."""
