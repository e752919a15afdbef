"""The parts of the screens. They hear by `data_bind` and speak by message; none knows the app."""
