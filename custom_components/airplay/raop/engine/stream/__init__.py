"""A stream: a timeline with media at one end and receivers at the other."""
