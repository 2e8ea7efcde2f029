"""What happened: the event log and the diagnostic log."""
