"""Lanes: one receiver's session, whichever protocol it uses."""
