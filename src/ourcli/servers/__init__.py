"""What other programs reach ourcli through; every server stands on the facade alone."""
