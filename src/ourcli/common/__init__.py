"""Values and seams every room may use: errors, events, ids, the clock, files, the network gate."""
