"""The handlers of a project: found, given their arguments, run within their time."""
