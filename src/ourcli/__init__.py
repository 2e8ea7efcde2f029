"""ourcli: a local-first AI agent for the terminal. Importing the package loads nothing."""

__version__ = "0.1.0"
