"""Which models there are, where they come from, and whether what is on disk is what was promised."""
