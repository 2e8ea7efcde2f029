"""The root command."""


def main() -> None:
    """Run the command that the arguments name."""
    raise SystemExit(2)
