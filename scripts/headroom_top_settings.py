# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""What headroom-top can do to a stream, in every view. Each returns a line that says what was
done."""
import headroom_top_view as view
from headroom_pages import HeadroomError


def change_threshold(monitor, reading, setting, text):
    if not (text.isascii() and text.isdigit()):
        raise HeadroomError(f"{setting} is a whole number of percent, not '{text}'")
    percent, trigger, clear = int(text), reading.trigger_percent, reading.clear_percent
    if setting == "Trigger" and not clear < percent <= 100:
        raise HeadroomError(f"Trigger must be above Clear, which is {clear}%, and at most 100%")
    if setting == "Clear" and not 1 <= percent < trigger:
        raise HeadroomError(f"Clear must be at least 1%, and below Trigger, which is {trigger}%")
    monitor.write(reading.stream, setting, percent)
    return f"{setting} of {view.stream_name(reading)} is {percent}% now"


def reset(monitor, readings):
    for reading in readings:
        monitor.write(reading.stream, "Reset", 1)
    names = ", ".join(view.stream_name(reading) for reading in readings)
    return f"the counters of {names} were reset"
