"""The two APIs over httpx: list, create, update, delete; retries and limits by what each request may do."""
