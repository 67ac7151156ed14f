"""Scripted calls, played against a running runtime."""
