"""The command line: parse, compose, run, and end with the right exit code."""
