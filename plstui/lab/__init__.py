"""The workshop: what its machines are set up with."""
