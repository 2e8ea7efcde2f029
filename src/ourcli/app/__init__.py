"""The one facade that everything above it calls, and the place where rooms are joined."""
