"""Values: how two differ, what a write makes of them, and what may be shown of them. Pure."""
