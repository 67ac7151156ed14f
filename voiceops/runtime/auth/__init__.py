"""Is this request really from Vapi, or from Twilio?"""
