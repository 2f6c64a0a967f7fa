"""Everything that waits: sockets, threads, clocks, and processes."""
