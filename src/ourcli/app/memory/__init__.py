"""The facade's side of memory: moves, forgetting, care, and what joins them to the rooms below."""
