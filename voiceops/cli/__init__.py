"""Commands: parse, call one use case, print. The only place that wires the layers together."""
