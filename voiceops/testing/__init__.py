"""Tests of an environment: which there are, how they are run, and what came of them."""
