"""From a request to its outcome: router, recipes, planner, executor, event bus, prompt, answer checks."""
