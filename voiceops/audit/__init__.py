"""What is wrong in an account beside what a plan shows: pure findings over what both vendors list. Changes nothing."""
