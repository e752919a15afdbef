"""The commands of the machines' shell."""


def load() -> None:
    """Make the commands known to the shell."""
    from plstui.sandbox.machines.commands import control, files, names, services, system, text, web

    # Importing them is all it takes.
    _ = (control, files, names, services, system, text, web)
