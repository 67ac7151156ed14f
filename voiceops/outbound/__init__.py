"""Calls that we make: whom, when, how many at once, and nobody twice."""
