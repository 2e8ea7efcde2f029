"""The library behind the locks of configuration files."""
