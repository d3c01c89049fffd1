/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/guard/stream.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Enough for a thread that has no right to real time: it makes no difference then who
 * runs this. */
#define BUFFER_PERIODS 16u
#define PERIOD_MAX 4096u
#define SETTLE_PERIODS 24u

static int16_t frames[PERIOD_MAX * BENCH_CHANNELS];

__attribute__((noinline)) snd_pcm_sframes_t guard_move(struct stream *stream)
{
	return stream->playback ? snd_pcm_writei(stream->pcm, frames, stream->period) :
				  snd_pcm_readi(stream->pcm, frames, stream->period);
}

void stream_move(struct stream *stream, unsigned int n)
{
	while (n) {
		snd_pcm_sframes_t done = guard_move(stream);

		if (done < 0) {
			stream->n_xruns++;
			bench_must(snd_pcm_recover(stream->pcm, (int)done, 1), "recover");
			continue;
		}
		if ((snd_pcm_uframes_t)done != stream->period) {
			fprintf(stderr, "guard: a part of a period was moved\n");
			exit(2);
		}
		n--;
	}
}

void stream_begin(struct stream *stream, const char *direction, const char *period)
{
	*stream = (struct stream){ .playback = strcmp(direction, "playback") == 0,
				   .period = (snd_pcm_uframes_t)atol(period) };
	if (stream->period < 1 || stream->period > PERIOD_MAX)
		bench_must(-EINVAL, period);
	bench_must(snd_pcm_open(&stream->pcm, "guarded", stream->playback ?
			  SND_PCM_STREAM_PLAYBACK : SND_PCM_STREAM_CAPTURE, 0), "open");
	bench_set_hardware(stream->pcm, stream->period, BUFFER_PERIODS * stream->period);
	stream_move(stream, SETTLE_PERIODS);
}

void stream_end(struct stream *stream)
{
	bench_must(snd_pcm_drop(stream->pcm), "drop");
	bench_must(snd_pcm_close(stream->pcm), "close");
}
