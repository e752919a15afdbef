"""The cockpit for Azure Private Link Service: both sides of a private link, live, in one terminal."""

__version__ = "0.1.0"
