"""The panes: both sides, their connections, and what is decided on them."""
