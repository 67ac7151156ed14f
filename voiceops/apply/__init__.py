"""Making a plan come true: lock, recover, look again, intend, call, record."""
