"""Virtual machines: cloud-init, web server, SSH server and a small shell. Nothing here runs anything on the host."""
