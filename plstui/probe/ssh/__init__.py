"""The route through a jump machine: SSH by paramiko, a channel for each connection to a target."""
