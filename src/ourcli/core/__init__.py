"""The agent: what a request is, which plan answers it, how the plan runs, and what the model is told."""
