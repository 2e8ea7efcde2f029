"""Where the room meets log files."""
