"""Routes to a page: from where a probe starts, and how it gets to its targets."""
