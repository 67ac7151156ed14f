"""The server: connections and their bounds, routes, worker processes."""
