"""The webhook runtime of __PROJECT__ (__ENVIRONMENT__), written by `voiceops -e __ENVIRONMENT__ generate runtime`.

Vapi calls POST /vapi/events, Twilio POST /twilio/voice/NAME and /twilio/status/NAME. Which tools there are, with
their schemas, and which lines, stands in runtime.json; the functions that answer them are in handlers/.

    python app.py --port 8080
"""

from pathlib import Path

from voiceops.runtime import application, main

HERE = Path(__file__).parent

app = application(HERE)

if __name__ == "__main__":
    main(HERE, app)
