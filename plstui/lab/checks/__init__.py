"""What could go wrong with the lab and can be known before anything is sent."""
