"""Engines that complete texts, behind one protocol."""
