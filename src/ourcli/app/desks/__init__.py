"""The facade's sides: what it offers about one room each."""
