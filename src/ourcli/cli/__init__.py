"""The command line: commands, what goes to stdout, what goes to stderr."""
