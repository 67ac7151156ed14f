"""Phone numbers as all of voiceops writes them."""

from __future__ import annotations

import re

# A plus, the country code, the number: 7 to 15 digits in all. https://www.itu.int/rec/T-REC-E.164
E164 = re.compile(r"\+[1-9]\d{6,14}\Z")
