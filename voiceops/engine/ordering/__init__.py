"""What has to come before what, and what depends on it. Pure."""
