"""The terminal interface: two panes, live, driven from the keyboard."""
