"""Steps, forms, and errors of the config flows."""
