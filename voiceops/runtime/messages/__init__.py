"""What each message is answered: tool calls, questions, webhooks, events."""
