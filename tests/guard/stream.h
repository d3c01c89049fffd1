/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A plain program that plays or records whole periods, as often as it is told to. All
 * that fails ends it.
 */
#ifndef TESTS_GUARD_STREAM_H
#define TESTS_GUARD_STREAM_H

#include <stdbool.h>

#include <alsa/asoundlib.h>

#include "tests/bench/hardware.h"

struct stream {
	snd_pcm_t *pcm;
	bool playback;
	snd_pcm_uframes_t period;	/* frames */
	unsigned int n_xruns;		/* that it has gone on after */
};

/** Open the PCM "guarded" and play or record until it has found its rhythm. */
void stream_begin(struct stream *stream, const char *direction, const char *period);

/** writei or readi of one period, and nothing else: what callgrind counts. */
snd_pcm_sframes_t guard_move(struct stream *stream);

/** Move n periods, whatever happens. */
void stream_move(struct stream *stream, unsigned int n);

void stream_end(struct stream *stream);

#endif
