"""Template tags: rendering of text, numbers and labels."""
