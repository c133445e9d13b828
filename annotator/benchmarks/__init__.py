"""What the application costs under load, measured on a project made up for it."""
