"""voiceops: voice agents on Vapi and Twilio as code."""

import sys

if sys.argv[:1] == ["-m"] and not sys.flags.safe_path:
    # `python -m voiceops` has Python look for modules in the current folder first. That is a project's folder, and may
    # be a stranger's: a file `click.py` or `yaml.py` in it would run. (`python -P -m` does not even look there first.)
    del sys.path[:1]

from voiceops._version import __version__

__all__ = ["__version__"]
