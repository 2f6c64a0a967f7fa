"""The table of files, one module for each kind."""
