"""Where the room meets LanceDB, file systems and splitters."""
