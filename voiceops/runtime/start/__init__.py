"""How a runtime comes up: processes and sockets, a generated project, the state that tells live ids."""
