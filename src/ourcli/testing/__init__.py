"""Fakes of every port, for this project's tests and for those of its plugins."""
