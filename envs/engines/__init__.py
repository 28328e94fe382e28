"""Who steps: lanes moved through tables, many at a time."""
