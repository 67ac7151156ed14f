"""Calls that there were, put to an agent of today: their callers' turns as they were, their tools answered as then."""
