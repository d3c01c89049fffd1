# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""What headroom-report says of a recording and of its streams."""
import signal

import headroom_words as words


def title_of(stream, recording):
    direction = "Playback" if stream.direction == "playback" else "Recording"
    others = [other for other in recording.that_took_part()
              if (other.name, other.direction) == (stream.name, stream.direction)]
    number = f" {stream.slot}" if len(others) > 1 else ""
    return f"{direction}{number} through {stream.name}"


def broken_off_text(stream):
    rate = stream.last_known("rate")
    return words.broken_off(stream.direction, [frames / rate if rate else 0
                                               for frames in stream.broken_off()])


def stopped_text(stream, recording):
    spans = stream.stopped(recording.duration)
    if not spans:
        return ""
    length = words.duration(sum(until - since for since, until in spans))
    times = f", {len(spans)} times" if len(spans) > 1 else ""
    return f"The program was stopped as a whole for {length}{times}: nothing was measured then."


def sentences(stream, recording):
    """All that is said of a stream, but for what the page has above it."""
    episodes = stream.in_order()
    is_alone = len(recording.that_took_part()) == 1
    text = ["" if is_alone else words.verdict(episodes, recording.duration, stream.frames_lost(),
                                              stream.counted("xruns"),
                                              bool(stream.broken_off())),
            "" if is_alone else broken_off_text(stream),
            stopped_text(stream, recording),
            words.unexplained(stream.counted("xruns"), episodes),
            words.pressure(stream.counted("pressure_count"), stream.counted("pressure_ms"),
                           stream.most("pressure_percent"), bool(words.gaps(episodes)))]
    return " ".join(part for part in text if part)


def advice(stream, recording):
    """What may help, a sentence each."""
    rate = stream.last_known("rate")
    buffer_s = stream.last_known("buffer_frames") / rate if rate else 0
    return words.advice(stream.in_order(), stream.direction, stream.most("realtime"),
                        stream.name, buffer_s,
                        [episode for episode in stream.in_order()
                         if stream.was_stopped(episode, recording.duration)])


def overall(recording, streams):
    if not streams:
        return "No sound went through headroom."
    episodes = [episode for stream in streams for episode in stream.in_order()]
    broken_off = list(dict.fromkeys(text for text in map(broken_off_text, streams) if text))
    text = words.verdict(episodes, recording.duration,
                         sum(stream.frames_lost() for stream in streams),
                         sum(stream.counted("xruns") for stream in streams), bool(broken_off))
    return " ".join([text, *broken_off])


def in_short(recording):
    """For a terminal: the sentence, then what may help, a line each."""
    streams = recording.that_took_part()
    helps = {}
    for stream in streams:
        for text in advice(stream, recording):
            helps.setdefault(text, []).append(title_of(stream, recording))
    lines = [overall(recording, streams)]
    lines += [text if len(titles) == len(streams) else f"{', '.join(titles)}: {text}"
              for text, titles in helps.items()]
    return [words.clean(line) for line in lines]


def ended_text(recording):
    if recording.ended is None:
        return "The recording was cut off before the program ended."
    if "signal" in recording.ended:
        number = recording.ended["signal"]
        try:
            name = signal.Signals(number).name
        except ValueError:
            name = f"signal {number}"
        return f"The program was ended by {name}."
    return f"The program ended with status {recording.ended.get('status', 'unknown')}."


def complaint_text(recording, number, why):
    amount = len(recording.complaints)
    what = "A line" if amount == 1 else f"{amount} lines"
    first = "" if amount == 1 else "the first is "
    return f"{what} of the recording could not be read: {first}line {number}, {why}."
