"""Senders written from the text of the protocol, which test the virtual receiver."""
