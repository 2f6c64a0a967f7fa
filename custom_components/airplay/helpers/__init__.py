"""What every room of the integration uses."""
