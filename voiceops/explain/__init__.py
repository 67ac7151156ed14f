"""Where a value comes from, and who answers a line: told from files, state and what is live. Runs nothing of either."""
