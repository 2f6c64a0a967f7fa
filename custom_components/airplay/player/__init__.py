"""The player of a speaker or of a group."""
