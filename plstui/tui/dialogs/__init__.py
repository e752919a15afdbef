"""What lies over the screens: questions, help, details."""
