"""Points out that a new decision contradicts an older one on the same subject; in doubt it says nothing."""
