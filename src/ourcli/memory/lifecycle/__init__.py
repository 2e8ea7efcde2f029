"""Moves of records: applying what the policy decides, writing it down, explaining it and taking it back."""
