"""Who answers a phone line, and the Twilio half of one. Pure."""
