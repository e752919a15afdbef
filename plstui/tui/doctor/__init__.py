"""The doctor: what keeps the page from coming."""
