"""A finished plan or graph held against others: saved plans, rules, estimates, risks. Pure."""
