"""Rules as data: what moves between the layers, when, and why."""
