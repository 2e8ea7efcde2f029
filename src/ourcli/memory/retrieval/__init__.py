"""From candidates to ranked hits: pure functions over arrays."""
