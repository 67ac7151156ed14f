"""TwiML that the runtime makes itself: a sentence, a forwarded call, nothing. Pure.

https://www.twilio.com/docs/voice/twiml
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

# What XML 1.0 has no place for, escaped or not.
_XML_LACKS = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
EMPTY = f"{_HEAD}<Response/>"


def marked(twiml: str) -> str:
    """A comment for whoever tests: a fallback looks like a call that is forwarded on purpose."""
    return twiml.replace("<Response>", "<!-- fallback --><Response>", 1)


def say(sentence: str) -> str:
    """TwiML that says a sentence and hangs up."""
    return f"{_HEAD}<Response><Say>{_text(sentence)}</Say><Hangup/></Response>"


def dial(destination: Mapping[str, object], otherwise: str) -> str:
    """TwiML that connects to a number or a SIP address, as in `fallbackDestination`; one without says `otherwise`.

    https://www.twilio.com/docs/voice/twiml/dial
    """
    message = destination.get("message")
    spoken = f"<Say>{_text(message)}</Say>" if isinstance(message, str) and message else ""
    caller = destination.get("callerId")
    attributes = f" callerId={quoteattr(_XML_LACKS.sub('', caller))}" if isinstance(caller, str) and caller else ""
    sip, number = destination.get("sipUri"), destination.get("number")
    if isinstance(sip, str) and sip:
        target = f"<Sip>{_text(sip)}</Sip>"
    elif isinstance(number, str) and number:
        extension = destination.get("extension")
        digits = f" sendDigits={quoteattr('ww' + _XML_LACKS.sub('', str(extension)))}" if extension else ""
        target = f"<Number{digits}>{_text(number)}</Number>"
    else:
        return say(otherwise)
    return f"{_HEAD}<Response>{spoken}<Dial{attributes}>{target}</Dial></Response>"


def _text(text: str) -> str:
    return escape(_XML_LACKS.sub("", text))
