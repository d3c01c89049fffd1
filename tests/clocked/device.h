/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The virtual sound card behind the PCM type clocked: it plays the part of the
 * kernel's driver and of the hardware, with no thread. Nothing happens by
 * itself: every call comes with the time, and clocked_device_sync() does what
 * the hardware has done since the call before.
 *
 * Positions (hw, appl) are frames since prepare, never wrapped. World frames
 * count from the first start after open and do not stop with the stream: see
 * clock.h. hw advances frame by frame with the world while the stream runs and
 * stands still otherwise.
 *
 * Playback. A ring of the buffer's size is filled by absolute position, so that
 * what was rewound and written again is heard as written last. The frames hw
 * passes are heard: appended to the heard file, neither earlier nor later.
 * Underrun: as in the kernel when avail >= stop_threshold, with the default
 * threshold exactly when hw reaches appl. All up to there was heard; the stream
 * stops, and stays in error until prepare, whatever is written meanwhile.
 * A higher threshold first lets the device play silence for the difference; one
 * at the boundary or above never stops. Unlike the kernel's, hw then waits at
 * appl: ioplug cannot let it pass. Silence is heard, and goes to the file.
 * Starting an empty stream that may stop is refused with -EPIPE, as by the kernel.
 * Draining: reaching appl is the end and no underrun.
 *
 * Capture. Frame n of the world holds what the supply file has there, or its own
 * number: see tape.h. Frames that pass while the stream is stopped, paused or
 * full are gone, so the recording jumps by exactly what was lost. Overrun: when
 * the unread frames reach stop_threshold; frames unread then are lost as well.
 * With a threshold above the buffer size, hw waits at a full buffer, keeps what is
 * there and loses what comes.
 *
 * The log's losses: "xrun playback at frame N lost M": N frames had been heard,
 * M is how many frames the world went on until somebody looked. "xrun capture
 * at frame N lost M": world frame N found no room, M counts the unread frames
 * before it and those since, until somebody looked; more are lost until the
 * next start, which says where it begins. "gap": the stream went on; playback
 * put M frames of silence after heard frame N, capture lost M world frames from
 * N on. It is logged when the gap ends.
 * "unheard playback at frame N lost M": it stopped by a fault, or vanished, with M
 * frames that will not be heard. "unread capture": it vanished with M frames.
 * "jump playback": M frames are left out after heard frame N; "jump capture": M
 * frames of silence that nobody recorded come before world frame N. "back playback":
 * the M frames before N are heard again; "back capture": the M world frames before
 * N, not read yet, are gone.
 *
 * By "goes" and "stands" the account of a run can be closed: in between, and only
 * there, frames were heard or supplied. "stands … lost M": M frames are in the device that
 * were not heard or not read: lost, unless it goes on. It may be logged again when
 * they are.
 *
 * Poll. As with a card, a waiting program is woken by period interrupts only: at
 * the next multiple of the period at which avail >= avail_min, or when the stream
 * stops before that; and at once where that is so already.
 *
 * No locks: the caller's business.
 */
#ifndef TESTS_CLOCKED_DEVICE_H
#define TESTS_CLOCKED_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/clocked/clock.h"
#include "tests/clocked/command.h"
#include "tests/clocked/config.h"
#include "tests/clocked/tape.h"

enum clocked_state {
	CLOCKED_SETUP,		/* not prepared */
	CLOCKED_PREPARED,
	CLOCKED_RUNNING,
	CLOCKED_DRAINING,	/* playback; has ended when hw == appl */
	CLOCKED_PAUSED,
	CLOCKED_XRUN,
	CLOCKED_SUSPENDED,	/* see faults.h */
	CLOCKED_LOST,
};

struct clocked_device {
	bool playback;
	struct clocked_clock clock;
	struct clocked_tape tape;

	/* Hardware parameters; ring is NULL without. Sizes in frames. */
	uint8_t *ring;
	snd_pcm_channel_area_t areas[CLOCKED_CHANNELS_MAX];	/* of the ring */
	snd_pcm_format_t format;
	unsigned int channels;
	size_t frame_bytes;
	int64_t buffer, period;

	/* Software parameters. */
	int64_t avail_min;
	int64_t stop_threshold;		/* INT64_MAX: never stop */

	enum clocked_state state, resume_to;
	struct clocked_words seen;	/* what was obeyed last */
	struct clocked_fail fails[CLOCKED_N_CALLS];	/* what is left of them */
	bool gone;			/* for good */
	bool was_short;			/* the last transfer */
	uint64_t xrun_at;		/* as the log counts; UINT64_MAX: at no frame */
	uint64_t ran_from;		/* where the last start was, as the log counts */
	int64_t hw, appl;
	int64_t gap;			/* frames since hw has been held up */
	uint64_t world;			/* world frame of the last sync */
	uint64_t heard;			/* frames since open */
};

/** Open. Returns 0, or -errno after a line on stderr; then there is nothing to
 * finish. */
int clocked_device_init(struct clocked_device *dev,
			const struct clocked_config *config, bool playback);

/** Close. */
void clocked_device_finish(struct clocked_device *dev);

/** Take the hardware parameters of io. Returns 0 or -ENOMEM. */
int clocked_device_set_hw(struct clocked_device *dev, const snd_pcm_ioplug_t *io);

/** Drop the hardware parameters and the ring. */
void clocked_device_free_hw(struct clocked_device *dev);

/** Do what the hardware has done up to now. Every call below that takes the time
 * begins with it. */
void clocked_device_sync(struct clocked_device *dev, uint64_t now_ns);

/** Stop if necessary, forget all frames, begin again at position 0. */
void clocked_device_prepare(struct clocked_device *dev, uint64_t now_ns);

/** Start a prepared stream. Returns 0, -EBADFD, or -EPIPE if there is nothing to
 * play. */
int clocked_device_start(struct clocked_device *dev, uint64_t now_ns);

/** Stop; what has not been heard or read is gone. */
void clocked_device_stop(struct clocked_device *dev, uint64_t now_ns);

/** Stand still or go on. Returns 0, -EPIPE after an xrun, -EBADFD. */
int clocked_device_pause(struct clocked_device *dev, uint64_t now_ns, bool enable);

/** Playback: play to the end, starting a stream that is only prepared. */
void clocked_device_drain(struct clocked_device *dev, uint64_t now_ns);

/** True once a draining stream has been heard to the end. */
bool clocked_device_drained(const struct clocked_device *dev);

/** Log that it has begun to move, or will not: see tape.h. */
void clocked_device_note_start(struct clocked_device *dev);
void clocked_device_note_stand(struct clocked_device *dev);

/** Forget all positions, as snd_pcm_reset() does, and go on. */
void clocked_device_reset(struct clocked_device *dev);

/** The frame that the log names: heard so far, or the world's. */
uint64_t clocked_device_log_frame(const struct clocked_device *dev);

/** Frames that it has and that will be heard, or can be read. */
int64_t clocked_device_holds(const struct clocked_device *dev);

/** Be somewhere else all of a sudden: frames further, or back. */
void clocked_device_jump(struct clocked_device *dev, uint64_t now_ns, int64_t frames);

/** Copy n frames between the ring, from position appl on, and areas from offset
 * on. Does not move appl. */
void clocked_device_transfer(struct clocked_device *dev,
			     const snd_pcm_channel_area_t *areas,
			     snd_pcm_uframes_t offset, snd_pcm_uframes_t n);

/** Frames that can be written or read; up to date as of the last sync. */
int64_t clocked_device_avail(const struct clocked_device *dev);

/** What poll is to report: POLLOUT or POLLIN if ready, POLLERR where the kernel
 * reports it, or 0. As of the last sync. */
unsigned short clocked_device_events(const struct clocked_device *dev);

/** When to wake a program that polls, as of the last sync: 0 = nothing will
 * happen by itself, 1 = at once, else CLOCK_MONOTONIC in ns. */
uint64_t clocked_device_wake_ns(const struct clocked_device *dev);

#endif
