"""The wordings of the judge's prompts and the readers of its replies."""
