"""Azure itself, by Microsoft's SDK."""
