"""Building blocks that all packages of the integration use."""
