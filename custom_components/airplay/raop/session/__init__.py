"""State machines of a session; no clocks, no sockets."""
