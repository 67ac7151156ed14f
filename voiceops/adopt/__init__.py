"""From live objects to a repository that people like to read: names, files, parts, YAML. Pure."""
