"""Environments for a pull request: their names, how long they stay, what is kept of them, and the numbers they lend."""
