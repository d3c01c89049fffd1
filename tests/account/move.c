/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/account/program.h"
#include "tests/differential/world.h"

#define MEMORY_BYTES (4u << 20)
#define CHANNELS_MAX 8

static uint8_t *memory;

bool program_init(void)
{
	memory = memory ? memory : malloc(MEMORY_BYTES);
	return memory != NULL;
}

static bool is_planar(const struct program *p)
{
	return p->plan->access == SND_PCM_ACCESS_RW_NONINTERLEAVED ||
	       p->plan->access == SND_PCM_ACCESS_MMAP_NONINTERLEAVED;
}

static bool is_mmap(const struct program *p)
{
	return p->plan->access == SND_PCM_ACCESS_MMAP_INTERLEAVED ||
	       p->plan->access == SND_PCM_ACCESS_MMAP_NONINTERLEAVED;
}

/* Areas of the program's own memory, as its access has it. */
static void own_areas(const struct program *p, snd_pcm_channel_area_t *areas)
{
	unsigned int channels = plan_formats[p->plan->format].channels;
	unsigned int bits = (unsigned int)p->card.frame_bytes * 8 / channels;
	unsigned int each = MEMORY_BYTES / channels / 64 * 64 * 8;

	for (unsigned int c = 0; c < channels; c++)
		areas[c] = (snd_pcm_channel_area_t){
			.addr = memory,
			.first = is_planar(p) ? c * each : c * bits,
			.step = is_planar(p) ? bits : bits * channels,
		};
}

static uint8_t *sample_at(const snd_pcm_channel_area_t *area, snd_pcm_uframes_t frame)
{
	return (uint8_t *)area->addr + (area->first + frame * area->step) / 8;
}

/* Number the frames, over all bytes of each. */
static void fill(const struct program *p, const snd_pcm_channel_area_t *areas,
		 snd_pcm_uframes_t offset, snd_pcm_uframes_t n)
{
	unsigned int channels = plan_formats[p->plan->format].channels;
	size_t sample = p->card.frame_bytes / channels;

	for (snd_pcm_uframes_t i = 0; i < n; i++) {
		uint8_t frame[CHANNELS_MAX * 8];

		for (size_t b = 0; b < p->card.frame_bytes; b++)
			frame[b] = (uint8_t)((p->number + (uint32_t)i) >> 8 * (b % 4));
		for (unsigned int c = 0; c < channels; c++)
			memcpy(sample_at(&areas[c], offset + i), frame + c * sample, sample);
	}
}

/* Note the numbers of frames that were read, or looked at. */
static void note_read(struct program *p, const snd_pcm_channel_area_t *areas,
		      snd_pcm_uframes_t offset, snd_pcm_uframes_t n)
{
	unsigned int channels = plan_formats[p->plan->format].channels;
	size_t sample = p->card.frame_bytes / channels;

	for (snd_pcm_uframes_t i = 0; i < n; i++) {
		uint8_t frame[CHANNELS_MAX * 8];
		uint32_t number;

		for (unsigned int c = 0; c < channels; c++)
			memcpy(frame + c * sample, sample_at(&areas[c], offset + i), sample);
		number = card_number(&p->card, frame);
		if (number == UINT32_MAX)
			program_fail(p, "frame %llu is torn",
				     (unsigned long long)(p->book.pos + i));
		else if (!book_read(&p->book, i, number))
			program_fail(p, "frame %llu is another one when read again",
				     (unsigned long long)(p->book.pos + i));
	}
}

static void note_moved(struct program *p, snd_pcm_sframes_t n)
{
	if (n <= 0)
		return;
	if (p->plan->playback)
		book_write(&p->book, (uint64_t)n, p->number);
	else
		book_go_on(&p->book, (uint64_t)n);
}

/* alsa-lib returns the error of a start that a write leads to, and does not say that the
 * frames were written. */
static void note_unsaid(struct program *p, snd_pcm_state_t before, snd_pcm_uframes_t n)
{
	snd_pcm_uframes_t room = p->buffer - (snd_pcm_uframes_t)p->book.pos;

	if (n > room)
		n = room;
	if (p->plan->playback && before == SND_PCM_STATE_PREPARED && n &&
	    p->book.pos + n >= p->start)
		note_moved(p, (snd_pcm_sframes_t)n);
}

static snd_pcm_sframes_t move_rw(struct program *p, snd_pcm_uframes_t n)
{
	snd_pcm_state_t before = p->state;
	snd_pcm_channel_area_t areas[CHANNELS_MAX];
	void *bufs[CHANNELS_MAX];
	snd_pcm_sframes_t done;

	own_areas(p, areas);
	for (unsigned int c = 0; c < plan_formats[p->plan->format].channels; c++)
		bufs[c] = sample_at(&areas[c], 0);
	if (p->plan->playback)
		fill(p, areas, 0, n);
	if (p->plan->playback)
		done = is_planar(p) ? snd_pcm_writen(p->pcm, bufs, n) :
				      snd_pcm_writei(p->pcm, memory, n);
	else
		done = is_planar(p) ? snd_pcm_readn(p->pcm, bufs, n) :
				      snd_pcm_readi(p->pcm, memory, n);
	if (done > 0 && !p->plan->playback)
		note_read(p, areas, 0, (snd_pcm_uframes_t)done);
	note_moved(p, done);
	if (done == -ESTRPIPE || done == -ENODEV || done == -EIO ||
	    (done == -EPIPE && snd_pcm_state(p->pcm) == SND_PCM_STATE_PREPARED))
		note_unsaid(p, before, n);
	/* Those that were not taken must not be heard under the same number. */
	p->number += (uint32_t)n;
	program_note(p, done, "%s%s %lu", p->plan->playback ? "write" : "read",
		     is_planar(p) ? "n" : "i", n);
	return done;
}

/* One piece of the mapped buffer. */
static snd_pcm_sframes_t move_mmap(struct program *p, snd_pcm_uframes_t n)
{
	const snd_pcm_channel_area_t *areas;
	snd_pcm_uframes_t offset;
	snd_pcm_sframes_t done;
	int err;

	done = snd_pcm_avail_update(p->pcm);
	if (done < 0) {
		program_note(p, done, "avail_update");
		return done;
	}
	err = snd_pcm_mmap_begin(p->pcm, &areas, &offset, &n);
	if (err < 0) {
		program_note(p, err, "mmap_begin");
		return err;
	}
	if (n == 0) {
		program_note(p, 0, "mmap_begin: nothing");
		return -EAGAIN;
	}
	if (p->plan->playback)
		fill(p, areas, offset, n);
	else
		note_read(p, areas, offset, n);
	done = snd_pcm_mmap_commit(p->pcm, offset, n);
	note_moved(p, done);
	p->number += (uint32_t)n;
	program_note(p, done, "commit %lu", n);
	if (done >= 0 && p->plan->playback && p->state == SND_PCM_STATE_PREPARED &&
	    p->book.pos >= p->start)
		program_note(p, snd_pcm_start(p->pcm), "start");
	return done;
}

snd_pcm_sframes_t program_move(struct program *p, snd_pcm_uframes_t n)
{
	snd_pcm_uframes_t most = 2 * p->buffer;

	if (n > most)
		n = most;
	if (n == 0)
		n = 1;
	p->book.is_empty = false;
	return is_mmap(p) ? move_mmap(p, n) : move_rw(p, n);
}

void program_read_rest(struct program *p)
{
	snd_pcm_sframes_t done = 1;

	for (int i = 0; i < 4000 && done > 0; i++) {
		snd_pcm_sframes_t avail = snd_pcm_avail_update(p->pcm);

		if (avail <= 0) {
			program_note(p, avail, "avail_update");
			p->book.is_empty = avail == 0;
			return;
		}
		done = program_move(p, (snd_pcm_uframes_t)avail);
	}
}
