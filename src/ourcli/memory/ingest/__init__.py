"""Files into records: walk, cut, compare by digest, store."""
