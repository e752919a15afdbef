"""The lab: the workshop step by step."""
