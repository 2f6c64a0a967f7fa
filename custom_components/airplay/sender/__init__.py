"""The sender process, and the record by which receivers find it."""
