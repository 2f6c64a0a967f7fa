"""What others may cost us: in requests, connections, packets, and bytes."""
