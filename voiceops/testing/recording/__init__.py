"""Calls that there were, written down as tests: scenarios with the tools' answers, and scripts for `simulate`."""
