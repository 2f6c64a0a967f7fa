"""The PTP clock of this process."""
