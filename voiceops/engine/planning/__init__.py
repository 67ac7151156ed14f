"""From what is wanted, applied and live to a plan. Pure."""
