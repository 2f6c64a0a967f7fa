"""Everything of the core that waits: threads, sockets, processes."""
