"""The probe: what every target answers."""
