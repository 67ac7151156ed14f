"""Diff, plan, order and guards. Pure: no clock, no environment, no network; data in, data out."""
