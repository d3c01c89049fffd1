/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "tests/differential/calls.h"

#define MEMORY_BYTES (8u << 20)
#define NOISE_BYTES 4099u	/* prime: no frame size divides it */
#define CHANNELS_MAX 32

static uint8_t *noise, *memory;

bool calls_init(void)
{
	uint32_t x = 1;

	noise = malloc(MEMORY_BYTES + NOISE_BYTES);
	memory = calloc(1, MEMORY_BYTES);
	if (!noise || !memory)
		return false;
	for (size_t i = 0; i < NOISE_BYTES; i++) {
		x = x * 1664525u + 1013904223u;
		noise[i] = (uint8_t)(x >> 24);
	}
	/* And again and again, so that any place begins as long a piece of it. */
	for (size_t at = NOISE_BYTES; at < MEMORY_BYTES + NOISE_BYTES; at += NOISE_BYTES) {
		size_t left = MEMORY_BYTES + NOISE_BYTES - at;

		memcpy(noise + at, noise, left < NOISE_BYTES ? left : NOISE_BYTES);
	}
	return true;
}

snd_pcm_uframes_t draw_frames(const struct side *side, struct rng *rng, bool absurd)
{
	static const snd_pcm_uframes_t absurds[] = {
		(snd_pcm_uframes_t)1 << 31, LONG_MAX, ULONG_MAX, (snd_pcm_uframes_t)-5,
	};
	snd_pcm_uframes_t n = 0;

	switch (rng_below(rng, 9)) {
	case 0: n = rng_below(rng, 3); break;
	case 1: n = side->period; break;
	case 2: n = side->buffer; break;
	case 3: n = side->buffer / 2 + 1; break;
	case 4: n = 1 + rng_below(rng, 2 * side->buffer); break;
	case 5: n = side->buffer + 1; break;
	case 6:
		n = absurds[rng_below(rng, 4)];
		if (!absurd)
			n = 2 * side->buffer;
		break;
	default: n = 1 + rng_below(rng, side->buffer); break;
	}
	return n;
}

/* What a program may hand over: no more than its memory holds. */
static snd_pcm_uframes_t draw_transfer(const struct side *side, struct rng *rng)
{
	/* A capture that was rewound gives more than its buffer in one read. */
	bool bounded = side->nonblock && side->playback && side->limit == LIMIT_NONE &&
		       side->buffer * side->frame_bytes < MEMORY_BYTES / 2;
	snd_pcm_uframes_t n = draw_frames(side, rng, bounded);

	if (!bounded && n > MEMORY_BYTES / 2 / side->frame_bytes)
		n = MEMORY_BYTES / 2 / side->frame_bytes;
	return n;
}

static uint8_t *source(const struct side *side, uint64_t pos, unsigned int channel)
{
	return noise + (pos * side->frame_bytes + channel * 977) % NOISE_BYTES;
}

/* Keep what was read, for the comparison. What a stream loses that goes on beyond its
 * stop threshold, it loses in steps. */
static void keep_data(struct side *side, const uint8_t *data, size_t frames,
		      size_t frame_bytes)
{
	struct result *result = side->result;
	size_t bytes = frames * frame_bytes;

	result->frame_bytes = frame_bytes;
	if (side->playback || side->goes_on || side->was_reset || side->adrift || !bytes ||
	    bytes > MEMORY_BYTES)
		return;
	result->data = malloc(bytes);
	if (result->data)
		memcpy(result->data, data, bytes);
}

/* The card's side goes back by what headroom has not told yet. */
static void go_back(struct side *side)
{
	long more;

	if (!side->first || side->first->ret < 0 || side->result->ret < 0)
		return;
	more = side->result->ret - side->first->ret;
	if (more > 0) {
		snd_pcm_rewind(side->pcm, (snd_pcm_uframes_t)more);
		snd_pcm_hwsync(side->pcm);	/* or the card would not know */
	}
	side->pos -= (uint64_t)more;
}

static bool is_planar(snd_pcm_access_t access)
{
	return access == SND_PCM_ACCESS_RW_NONINTERLEAVED ||
	       access == SND_PCM_ACCESS_MMAP_NONINTERLEAVED;
}

static snd_pcm_sframes_t transfer_planar(struct side *side, snd_pcm_uframes_t n)
{
	size_t sample = side->frame_bytes / side->channels;
	size_t each = MEMORY_BYTES / side->channels / sample * sample;
	void *bufs[CHANNELS_MAX];

	for (unsigned int c = 0; c < side->channels; c++)
		bufs[c] = side->playback ? source(side, side->pos, c) :
					   memory + c * each;
	return side->playback ? snd_pcm_writen(side->pcm, bufs, n) :
				snd_pcm_readn(side->pcm, bufs, n);
}

void call_transfer(struct side *side, struct rng *rng)
{
	struct result *result = side->result;
	snd_pcm_uframes_t n = draw_transfer(side, rng);
	bool planar = is_planar(side->access);

	result->transfers = true;
	if (planar)
		result->ret = transfer_planar(side, n);
	else if (side->playback)
		result->ret = snd_pcm_writei(side->pcm, source(side, side->pos, 0), n);
	else
		result->ret = snd_pcm_readi(side->pcm, memory, n);
	SAY(side, "%s%s %lu", side->playback ? "write" : "read", planar ? "n" : "i", n);
	if (result->ret <= 0)
		return;
	side->pos += (uint64_t)result->ret;
	keep_data(side, memory, (size_t)result->ret,
		  planar ? side->frame_bytes / side->channels : side->frame_bytes);
	go_back(side);
}

void call_wrong_transfer(struct side *side, struct rng *rng)
{
	void *bufs[CHANNELS_MAX];
	unsigned int which = (unsigned int)rng_below(rng, 3);

	for (unsigned int c = 0; c < CHANNELS_MAX; c++)
		bufs[c] = memory;
	/* Of the right direction but with the wrong access; the wrong direction has
	 * no function to call in the device, and alsa-lib no check. */
	if (is_planar(side->access) || which == 0) {
		SAY(side, "interleaved on %s", snd_pcm_access_name(side->access));
		if (side->access == SND_PCM_ACCESS_RW_INTERLEAVED)
			return;
		side->result->ret = side->playback ? snd_pcm_writei(side->pcm, memory, 1) :
						     snd_pcm_readi(side->pcm, memory, 1);
	} else {
		SAY(side, "planar on %s", snd_pcm_access_name(side->access));
		side->result->ret = side->playback ? snd_pcm_writen(side->pcm, bufs, 1) :
						     snd_pcm_readn(side->pcm, bufs, 1);
	}
}

/* Between the program's memory and the mapped buffer. */
static void copy_mapped(struct side *side, const snd_pcm_channel_area_t *areas,
			snd_pcm_uframes_t offset, snd_pcm_uframes_t n)
{
	size_t sample = side->frame_bytes / side->channels;

	for (unsigned int c = 0; c < side->channels; c++)
		for (snd_pcm_uframes_t i = 0; i < n; i++) {
			uint8_t *at = (uint8_t *)areas[c].addr +
				      (areas[c].first + (offset + i) * areas[c].step) / 8;
			uint8_t *own = memory + i * side->frame_bytes + c * sample;

			if (side->playback)
				memcpy(at, source(side, side->pos + i, c), sample);
			else
				memcpy(own, at, sample);
		}
}

void call_mmap(struct side *side, struct rng *rng)
{
	struct result *result = side->result;
	const snd_pcm_channel_area_t *areas;
	snd_pcm_uframes_t offset, frames = draw_frames(side, rng, true), n;
	unsigned int part = (unsigned int)rng_below(rng, 4);
	int err;

	SAY(side, "avail_update, mmap_begin %lu", frames);
	result->ret = snd_pcm_avail_update(side->pcm);
	if (result->ret < 0)
		return;
	note_rough(side, result->ret);
	result->ret = 0;
	err = snd_pcm_mmap_begin(side->pcm, &areas, &offset, &frames);
	note_exact(side, err);
	if (err < 0)
		return;
	note_rough(side, (long)frames);
	n = part == 0 ? frames / 2 : frames;
	if (side->first && n > (snd_pcm_uframes_t)side->first->frames)
		n = (snd_pcm_uframes_t)side->first->frames;
	result->frames = (long)n;
	copy_mapped(side, areas, offset, n);
	keep_data(side, memory, n, side->frame_bytes);
	if (snd_pcm_state(side->pcm) == SND_PCM_STATE_DRAINING)
		side_limit(side, LIMIT_DRAINING);
	note_exact(side, snd_pcm_mmap_commit(side->pcm, offset, n));
	if (result->exact[result->n_exact - 1] > 0)
		side->pos += (uint64_t)result->exact[result->n_exact - 1];
	/* As many programs do after the first piece. */
	if (side->playback && rng_chance(rng, 30) &&
	    snd_pcm_state(side->pcm) == SND_PCM_STATE_PREPARED)
		note_exact(side, snd_pcm_start(side->pcm));
}

/* rewind and forward. ioplug takes any number, so that a program that asks for
 * more than there is leaves the buffer; where the card would have refused that. */
void call_move(struct side *side, struct rng *rng, bool forward)
{
	struct result *result = side->result;
	bool absurd = rng_chance(rng, 10);
	snd_pcm_uframes_t n = draw_frames(side, rng, absurd);
	snd_pcm_sframes_t most;

	/* They count from the position that was seen last: see to it. */
	snd_pcm_hwsync(side->pcm);
	most = forward ? snd_pcm_forwardable(side->pcm) :
			 snd_pcm_rewindable(side->pcm);
	note_exact(side, most < 0 ? most : 0);
	if (most >= 0 && !absurd) {
		/* A stream that was reset is a step from where the other's is. */
		snd_pcm_sframes_t margin = forward && !side->was_reset ? 0 :
			(snd_pcm_sframes_t)(side->period + side->rate / 100 + 1);

		if (!forward && snd_pcm_state(side->pcm) == SND_PCM_STATE_PREPARED)
			margin = 0;
		most = most > margin ? most - margin : 0;
		if (n > (snd_pcm_uframes_t)most)
			n = (snd_pcm_uframes_t)most;
	}
	if (side->first)
		n = (snd_pcm_uframes_t)side->first->frames;
	result->frames = (long)n;
	SAY(side, "%s %ld", forward ? "forward" : "rewind", (long)n);
	result->ret = forward ? snd_pcm_forward(side->pcm, n) :
				snd_pcm_rewind(side->pcm, n);
	if (absurd && n != 0 && (most < 0 || n > (snd_pcm_uframes_t)most))
		side_limit(side, LIMIT_POSITION);
	if (result->ret <= 0)
		return;
	/* ioplug tells nobody of a move: the next call does, and soon. */
	snd_pcm_hwsync(side->pcm);
	side->rewound = true;
	if (side->goes_on || snd_pcm_state(side->pcm) == SND_PCM_STATE_DRAINING ||
	    (!forward && (uint64_t)result->ret > side->pos))
		side_limit(side, LIMIT_POSITION);
	side->pos += (uint64_t)(forward ? result->ret : -result->ret);
}
