"""Plan and diagnostics → text and JSON. Pure: it takes data and gives text."""
