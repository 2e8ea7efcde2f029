"""The process's entry: `python -m ourcli` and the `ourcli` script."""

import os

ONE_BLAS_THREAD = "OPENBLAS_NUM_THREADS"
"""Read by numpy when it is imported. Our products of matrices are small: two threads that wait for each other make them
three times dearer, many times on a busy machine. Inference has threads of its own."""


def main() -> None:
    """Run the command line."""
    os.environ.setdefault(ONE_BLAS_THREAD, "1")
    from ourcli.cli.main import main as run  # deferred: importing the entry point must cost nothing

    run()


if __name__ == "__main__":
    main()
