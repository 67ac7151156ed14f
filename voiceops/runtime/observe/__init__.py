"""What the runtime tells of itself: logs, metrics, traces."""
