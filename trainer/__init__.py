"""Train, evaluate and serve process reward models: usable alone, knows no web and no database."""
