/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What stands at the far end of the virtual device: the listener that writes
 * down what was heard, the source that supplies what is recorded, and the log.
 *
 * The log has one line per event, written at once with a single write():
 *
 *   open|start|pause|release|suspend|resume|stop|close playback|capture at frame N ms T
 *   world playback|capture at frame 0 ns T
 *   vanish playback|capture at frame N ns T
 *   xrun playback|capture at frame N lost M
 *   gap|unheard|unread|jump|back playback|capture at frame N lost M
 *   goes playback|capture at frame N ms T
 *   stands playback|capture at frame N lost M
 *   params playback|capture FORMAT C channels R Hz period P buffer B
 *
 * N counts playback frames as in the heard file, and capture frames as world
 * frames; T is CLOCK_MONOTONIC. From "world", with the first start, the time of each
 * frame of the world follows: see clock.h. For what M counts see device.h.
 *
 * A file that cannot be written or read later on is reported once on stderr;
 * the sound goes on.
 */
#ifndef TESTS_CLOCKED_TAPE_H
#define TESTS_CLOCKED_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/clocked/config.h"

struct clocked_tape {
	bool playback;
	bool failed;			/* reported already */
	int heard_fd, supply_fd, log_fd;	/* -1 = none */
};

/** Open the files of one direction. Returns 0, or -errno after a line on stderr;
 * then there is nothing to finish. */
int clocked_tape_init(struct clocked_tape *tape, const struct clocked_config *config,
		      bool playback);

/** Close the files. */
void clocked_tape_finish(struct clocked_tape *tape);

/** Append bytes to what was heard. */
void clocked_tape_hear(struct clocked_tape *tape, const void *data, size_t bytes);

/** Fill n frames of frame_bytes each with the sound of the world from frame
 * world on. Silence after the end of the supply is that of format. */
void clocked_tape_supply(struct clocked_tape *tape, uint64_t world, uint8_t *data,
			 size_t n, size_t frame_bytes, snd_pcm_format_t format);

/** Log open, start and so on. */
void clocked_tape_log_event(struct clocked_tape *tape, const char *event,
			    uint64_t frame);

/** Log when the world began. */
void clocked_tape_log_world(struct clocked_tape *tape, uint64_t start_ns);

/** Log when it vanished. */
void clocked_tape_log_vanish(struct clocked_tape *tape, uint64_t frame, uint64_t now_ns);

/** Log the hardware parameters. Sizes in frames. */
void clocked_tape_log_params(struct clocked_tape *tape, snd_pcm_format_t format,
			     unsigned int channels, unsigned int rate,
			     uint64_t period, uint64_t buffer);

/** Log xrun, gap, stands, and what faults cost. */
void clocked_tape_log_loss(struct clocked_tape *tape, const char *event,
			   uint64_t frame, uint64_t lost);

#endif
