"""Measuring this installation: the quality and the latency of its recall."""
