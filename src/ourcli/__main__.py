"""The process's entry: `python -m ourcli` and the `ourcli` script."""


def main() -> None:
    """Run the command line."""
    from ourcli.cli.main import main as run  # deferred: importing the entry point must cost nothing

    run()


if __name__ == "__main__":
    main()
