"""Both vendors on this machine: Vapi's REST API, and Twilio's API of phone numbers."""
