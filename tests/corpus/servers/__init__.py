"""The table of servers, one module for each kind."""
