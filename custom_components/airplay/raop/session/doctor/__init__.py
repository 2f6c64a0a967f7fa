"""From the findings about a receiver to one verdict, without IO."""
