"""Home Assistant with two virtual speakers, interactive or as an automatic check."""
