"""The shell of the sandbox's machines: reads scripts and runs the commands that it knows, in memory."""
