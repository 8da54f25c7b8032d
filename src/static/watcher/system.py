"""What all parts use: the clock, and the output."""

import time

# How often is looked at what may change at any time.
TICK_S = 0.5


def say(text):
    print(text, flush=True)


def clock():
    """Seconds that also pass while the machine sleeps; never set back."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def time_text():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def read_text(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
