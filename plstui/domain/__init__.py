"""Facts and rules about private links. Standard library only; nothing here does I/O."""
