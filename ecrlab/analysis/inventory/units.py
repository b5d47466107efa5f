"""Bytes and ages as people read them."""

from datetime import datetime


def format_bytes(size: float) -> str:
    """Bytes in units of a thousand.

    >>> format_bytes(441), format_bytes(5711), format_bytes(57_000_000)
    ('441 B', '5.7 kB', '57 MB')
    """
    units = ["B", "kB", "MB", "GB", "TB"]
    while size >= 1000 and len(units) > 1:
        size /= 1000
        del units[0]
    return f"{size:.1f} {units[0]}" if size < 10 and units[0] != "B" else f"{size:.0f} {units[0]}"


def format_age(then: datetime, now: datetime) -> str:
    """How long ago something was, in the largest unit that fits.

    >>> pushed = datetime(2026, 10, 1)
    >>> format_age(pushed, datetime(2026, 10, 3, 23)), format_age(pushed, datetime(2026, 10, 1, 0, 0, 7))
    ('2 days', '7 s')
    """
    seconds = max(0, int((now - then).total_seconds()))
    for length, unit in ((86400, "day"), (3600, "h"), (60, "min")):
        if seconds >= length:
            number = seconds // length
            return f"{number} {unit}s" if unit == "day" and number > 1 else f"{number} {unit}"
    return f"{seconds} s"
