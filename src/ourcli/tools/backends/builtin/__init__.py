"""The tools that come with ourcli; whatever they may touch is asked of grants at every call."""
