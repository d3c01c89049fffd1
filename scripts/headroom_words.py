# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""What befell a stream, in a user's words."""
from headroom_episodes import is_gap

REASONS = {
    "program": "the program was late",
    "scheduler": "headroom did not get to run in time",
    "device": "the card stopped or was late",
    "none": "of a reason unknown",
}
# What headroom-log calls them, and what they mean to somebody who listens.
MEANINGS = {
    "xrun": {"playback": "ran dry, and the program was told",
             "capture": "ran full, and the program was told"},
    "silence": {"playback": "ran dry, and silence filled the gap"},
    "dropped": {"capture": "ran full, and the recording left out frames"},
    "card xrun": {"playback": "the card ran dry, the program did not see it",
                  "capture": "the card ran full, the program did not see it"},
    "card lost": {"playback": "the card went, or stood still", "capture": "the card went"},
    "card away": {"playback": "the card was gone, and the program played on",
                  "capture": "the card was gone, and the recording went on"},
    "rewind": {"playback": "what was written again had been handed on already"},
}


def clean(text):
    """Text of others without what would move the cursor."""
    return "".join(char if char.isprintable() else "?" for char in text)


def meaning(what, direction):
    return MEANINGS.get(what, {}).get(direction, what)


def duration(seconds):
    """As long as it was: three digits where that will do."""
    if seconds < 0.00995:
        return f"{seconds * 1000:.1f} ms".replace(".0 ", " ")
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    if seconds < 99.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 100:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def reason(cause):
    """As a title, without "because"."""
    return REASONS[cause].removeprefix("of ")


def count(number, one, many=None):
    return f"{number} {one if number == 1 else many or one + 's'}"


def because(causes):
    """'both because the program was late': of the causes of so many gaps."""
    kinds = [cause for cause in REASONS if cause in causes]
    if len(kinds) == 1:
        all_of_them = {1: "", 2: "both "}.get(len(causes), "each ")
        return f", {all_of_them}because {REASONS[kinds[0]]}"
    parts = [f"{causes.count(cause)} because {REASONS[cause]}" for cause in kinds]
    return ": " + ", ".join(parts)


def gaps(episodes):
    return [episode for episode in episodes if is_gap(episode["what"])]


def card_times(times, n_gaps, direction):
    """Where the card counts more than a person hears."""
    if not n_gaps or times <= n_gaps:
        return ""
    ran = "ran dry" if direction == "playback" else "ran full"
    return f"the card {ran} {times} times in {'it' if n_gaps == 1 else 'them'}"


def broken_off(direction, lengths):
    """Of a stream whose program was gone without closing it, so often; a length in
    seconds is how much was not heard at most, 0 if that is not known."""
    if not lengths:
        return ""
    times = f"{len(lengths)} times a" if len(lengths) > 1 else "A"
    if direction == "capture":
        lost = "what it had not read yet is lost"
    else:
        most = f", at most {duration(max(lengths))}," if max(lengths) else ""
        lost = f"what it had written and was not heard yet{most} is lost"
    return f"{times} program was killed, or ended without closing its stream: {lost}."


def verdict(episodes, seconds, frames_lost, xruns, was_broken_off=False):
    """One sentence: what happened and who was late, by the log; else what was counted."""
    found = gaps(episodes)
    late_rewinds = len(episodes) - len(found)
    if found:
        total = sum(episode["lasted"] for episode in found)
        in_all = " in all" if len(found) > 1 else ""
        text = (f"{count(len(found), 'gap')}, {duration(total)}{in_all}"
                f"{because([episode['late'] for episode in found])}.")
    elif frames_lost or xruns:
        counted = [count(xruns, "gap")] if xruns else []
        counted += [f"{count(frames_lost, 'frame')} lost or invented"] if frames_lost else []
        text = f"{' and '.join(counted)}, and the log does not say why."
    elif was_broken_off:
        text = f"No gap in {duration(seconds)}."
    else:
        text = f"No gap in {duration(seconds)}: nothing was lost or invented."
    if late_rewinds:
        text += (f" {count(late_rewinds, 'rewind')} came too late: the card had the old "
                 "sound already.")
    return text


def pressure(times, milliseconds, most, had_gaps):
    """How near it came to a gap, which is of no interest where there were gaps."""
    if times:
        length = f", {duration(milliseconds / 1000)} in all" if milliseconds else ""
        return f"Pressure began {count(times, 'time')}{length}."
    if most >= 50 and not had_gaps:
        return f"At its worst it was {most:g}% of the way to a gap."
    return ""


def unexplained(xruns, episodes):
    """The counters know of more than the log kept."""
    missing = xruns - sum(episode["what"] == "xrun" for episode in episodes)
    if missing <= 0 or not gaps(episodes):
        return ""
    return f"Of {count(missing, 'more gap')} the log does not tell."


RING_WAS_FULL = 90      # percent


DEPTH_MS = 2000, 60000  # if nothing is said, and at most


def rounded_up(ms):
    """A number of milliseconds to ask for: two or three digits of it will do."""
    step = 100 if ms >= 1000 else 10
    return -(-round(ms) // step) * step


def larger_buffer(late_s, buffer_s):
    ms = rounded_up((late_s + buffer_s) * 1000)
    length = f"{ms / 1000:g} s" if ms >= 1000 else f"{ms} ms"
    return (f"The program was {duration(late_s)} late with a buffer of {duration(buffer_s)}: ask "
            f"for {length} (aplay --buffer-time={ms * 1000}), or give it a higher priority.")


def larger_depth(late_s, name):
    usual, most = DEPTH_MS
    more = rounded_up(late_s * 1000)
    text = f"The program read {duration(late_s)} too late for what depth_ms kept for it: "
    if usual + more > most:
        return text + f"{more} more would have been enough, but {most} is the most."
    return text + (f"{more} more would have been enough. Add them to the depth_ms of pcm.{name}; "
                   f"if it says none, write \"depth_ms {usual + more}\" there.")


STOPPED = ("What stops a program as a whole (Ctrl-Z, a debugger) stops headroom, which lives in "
           "it, as well: only the card goes on.")


def what_helps_a_program(episodes, direction, name, buffer_s):
    """episodes: those in which it was not stopped as a whole."""
    if not episodes:
        return STOPPED
    longest = max((episode["lasted"] for episode in gaps(episodes)), default=0)
    if direction == "playback":
        if longest and buffer_s:
            return larger_buffer(longest, buffer_s)
        return ("The program did not write in time. A larger buffer gives it more of it (aplay: "
                "--buffer-time), a higher priority lets it run sooner.")
    # Who is stopped as a whole, headroom with it, loses what the card's own buffer does not hold.
    if all(episode["ring"] < RING_WAS_FULL for episode in episodes):
        return STOPPED
    return larger_depth(longest, name)


def advice(episodes, direction, realtime, name, buffer_s=0, stopped=()):
    """What may help, a sentence for each who was late. stopped: the episodes in which the
    program was stopped as a whole; buffer_s: its buffer, 0 if that is not known."""
    causes = {episode["late"] for episode in episodes}
    found = []
    if "program" in causes:
        found.append(what_helps_a_program(
            [episode for episode in episodes
             if episode["late"] == "program" and episode not in stopped],
            direction, name, buffer_s))
    if "scheduler" in causes:
        found.append(
            "headroom's thread has no real-time priority: allow it (a line \"@audio - rtprio "
            "95\" in /etc/security/limits.d, and be in that group)."
            if not realtime else
            "headroom's thread has a real-time priority and was late all the same: something "
            "has a higher one, or the machine stood still as a whole, as a virtual one may.")
    if "device" in causes:
        found.append("The card stopped by itself, jumped, or stood still: its cable, its hub "
                     "and the kernel's log (dmesg) tell more.")
    return found
