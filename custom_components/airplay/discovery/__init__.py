"""Discovery of receivers on the network, and their data in an entry."""
