"""What media from outside may open, and how much of it is read."""
