"""Tasks: created, watched, recorded."""
