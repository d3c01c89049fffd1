/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>

#include "tests/clocked/device.h"

#define SILENCE_BYTES 8192	/* per write; many of the largest frames */
#define WAIT_MAX (INT64_C(1) << 40)	/* frames; weeks, and safe to convert */

static int64_t min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t max64(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

uint64_t clocked_device_log_frame(const struct clocked_device *dev)
{
	return dev->playback ? dev->heard : dev->world;
}

int clocked_device_init(struct clocked_device *dev,
			const struct clocked_config *config, bool playback)
{
	int err;

	*dev = (struct clocked_device){
		.playback = playback,
		.state = CLOCKED_SETUP,
		.avail_min = 1,
		.stop_threshold = INT64_MAX,
		.xrun_at = UINT64_MAX,
	};
	clocked_clock_init(&dev->clock, (int)config->rate_ppm);
	err = clocked_tape_init(&dev->tape, config, playback);
	if (err < 0)
		return err;
	clocked_tape_log_event(&dev->tape, "open", 0);
	return 0;
}

void clocked_device_finish(struct clocked_device *dev)
{
	clocked_tape_log_event(&dev->tape, "close", clocked_device_log_frame(dev));
	clocked_device_free_hw(dev);
	clocked_tape_finish(&dev->tape);
}

int clocked_device_set_hw(struct clocked_device *dev, const snd_pcm_ioplug_t *io)
{
	unsigned int sample_bits =
		(unsigned int)snd_pcm_format_physical_width(io->format);

	clocked_device_free_hw(dev);
	dev->format = io->format;
	dev->channels = io->channels;
	dev->frame_bytes = sample_bits / 8 * io->channels;
	dev->buffer = (int64_t)io->buffer_size;
	dev->period = (int64_t)io->period_size;
	dev->ring = calloc(io->buffer_size, dev->frame_bytes);
	if (!dev->ring)
		return -ENOMEM;
	/* As a driver does: what was never written is silence when heard. */
	if (snd_pcm_format_silence_64(dev->format) != 0)
		snd_pcm_format_set_silence(dev->format, dev->ring,
			(unsigned int)(io->buffer_size * io->channels));
	for (unsigned int i = 0; i < io->channels; i++)
		dev->areas[i] = (snd_pcm_channel_area_t){
			.addr = dev->ring,
			.first = i * sample_bits,
			.step = (unsigned int)dev->frame_bytes * 8,
		};
	clocked_clock_set_rate(&dev->clock, io->rate);
	clocked_tape_log_params(&dev->tape, dev->format, dev->channels, io->rate,
				(uint64_t)dev->period, (uint64_t)dev->buffer);
	return 0;
}

void clocked_device_free_hw(struct clocked_device *dev)
{
	free(dev->ring);
	dev->ring = NULL;
	dev->state = CLOCKED_SETUP;
	dev->hw = dev->appl = dev->gap = 0;
}

/* Below 0 is a program that went back beyond its first frame. */
static int64_t ring_index(const struct clocked_device *dev, int64_t position)
{
	return (position % dev->buffer + dev->buffer) % dev->buffer;
}

static uint8_t *ring_at(const struct clocked_device *dev, int64_t position)
{
	return dev->ring + (size_t)ring_index(dev, position) * dev->frame_bytes;
}

/* Frames from position to where the ring wraps, at most n. */
static int64_t ring_run(const struct clocked_device *dev, int64_t position,
			int64_t n)
{
	return min64(n, dev->buffer - ring_index(dev, position));
}

/* Frames until hw is held up: nothing to play, or no room to record. */
static int64_t supply_left(const struct clocked_device *dev)
{
	if (dev->playback)
		return max64(dev->appl - dev->hw, 0);
	return max64(dev->appl + dev->buffer - dev->hw, 0);
}

/* Frames until the stream stops by itself; INT64_MAX if never. */
static int64_t frames_to_stop(const struct clocked_device *dev)
{
	if (dev->state == CLOCKED_DRAINING)
		return max64(dev->appl - dev->hw, 0);
	if (dev->stop_threshold == INT64_MAX)
		return INT64_MAX;
	return max64(dev->stop_threshold - clocked_device_avail(dev) - dev->gap, 0);
}

/* Frames until it stops by command; INT64_MAX if never. */
static int64_t frames_to_fault(const struct clocked_device *dev)
{
	uint64_t frame = clocked_device_log_frame(dev), at = dev->xrun_at;
	uint64_t every = dev->seen.xrun_every;

	if (dev->state != CLOCKED_RUNNING && dev->state != CLOCKED_DRAINING)
		return INT64_MAX;
	if (every && dev->ran_from + every < at)
		at = dev->ran_from + every;
	if (at == UINT64_MAX)
		return INT64_MAX;
	return at > frame ? (int64_t)(at - frame) : 0;
}

static void hear_silence(struct clocked_device *dev, int64_t n)
{
	uint8_t silence[SILENCE_BYTES];
	int64_t most = (int64_t)(sizeof(silence) / dev->frame_bytes);

	snd_pcm_format_set_silence(dev->format, silence,
				   (unsigned int)most * dev->channels);
	while (n > 0) {
		int64_t part = min64(n, most);

		clocked_tape_hear(&dev->tape, silence,
				  (size_t)part * dev->frame_bytes);
		n -= part;
	}
}

static void play(struct clocked_device *dev, int64_t n)
{
	int64_t left = min64(n, supply_left(dev));

	dev->heard += (uint64_t)n;
	n -= left;
	while (left > 0) {
		int64_t part = ring_run(dev, dev->hw, left);

		clocked_tape_hear(&dev->tape, ring_at(dev, dev->hw),
				  (size_t)part * dev->frame_bytes);
		dev->hw += part;
		left -= part;
	}
	if (n > 0)
		hear_silence(dev, n);
	dev->gap += n;
}

static void record(struct clocked_device *dev, int64_t n)
{
	int64_t left = min64(n, supply_left(dev));
	uint64_t world = dev->world;

	n -= left;
	while (left > 0) {
		int64_t part = ring_run(dev, dev->hw, left);

		clocked_tape_supply(&dev->tape, world, ring_at(dev, dev->hw),
				    (size_t)part, dev->frame_bytes, dev->format);
		world += (uint64_t)part;
		dev->hw += part;
		left -= part;
	}
	dev->gap += n;
}

static void end_gap(struct clocked_device *dev)
{
	if (dev->gap > 0)
		clocked_tape_log_loss(&dev->tape, "gap",
				      clocked_device_log_frame(dev) - (uint64_t)dev->gap,
				      (uint64_t)dev->gap);
	dev->gap = 0;
}

void clocked_device_note_stand(struct clocked_device *dev)
{
	/* What it broke off with was logged then. */
	if (dev->state != CLOCKED_SUSPENDED || dev->resume_to != CLOCKED_XRUN)
		clocked_tape_log_loss(&dev->tape, "stands", clocked_device_log_frame(dev),
				      (uint64_t)clocked_device_holds(dev));
}

/* late: frames that the world went on beyond the xrun; world is still there. */
static void stop_in_xrun(struct clocked_device *dev, int64_t late)
{
	int64_t lost = late;
	uint64_t frame = dev->heard;

	if (!dev->playback) {
		frame = dev->world - (uint64_t)(late + dev->gap);
		lost += dev->gap + dev->hw - dev->appl;
	}
	clocked_tape_log_loss(&dev->tape, "xrun", frame, (uint64_t)lost);
	if (dev->playback && clocked_device_holds(dev) > 0)
		clocked_tape_log_loss(&dev->tape, "unheard", frame,
				      (uint64_t)clocked_device_holds(dev));
	clocked_device_note_stand(dev);
	dev->gap = 0;
	dev->xrun_at = UINT64_MAX;
	dev->state = CLOCKED_XRUN;
}

void clocked_device_sync(struct clocked_device *dev, uint64_t now_ns)
{
	uint64_t world = clocked_clock_frames(&dev->clock, now_ns);
	int64_t passed, limit, fault;

	if (dev->state != CLOCKED_RUNNING && dev->state != CLOCKED_DRAINING)
		return;
	if (dev->seen.burst)
		world -= world % dev->seen.burst;
	/* Two threads may come with their times in the wrong order. */
	passed = world > dev->world ? (int64_t)(world - dev->world) : 0;
	if (supply_left(dev) > 0)
		end_gap(dev);
	fault = frames_to_fault(dev);
	limit = min64(frames_to_stop(dev), fault);
	/* A drain comes to its end, unless it is broken off before. */
	if (dev->state == CLOCKED_DRAINING && frames_to_stop(dev) <= fault)
		fault = INT64_MAX;
	if (dev->playback)
		play(dev, min64(passed, limit));
	else
		record(dev, min64(passed, limit));
	dev->world += (uint64_t)passed;
	if (passed >= limit && (dev->state == CLOCKED_RUNNING || passed >= fault))
		stop_in_xrun(dev, passed - limit);
}

void clocked_device_note_start(struct clocked_device *dev)
{
	clocked_tape_log_event(&dev->tape, "goes", clocked_device_log_frame(dev));
}

static void set_going(struct clocked_device *dev, uint64_t now_ns,
		      enum clocked_state state)
{
	if (!dev->clock.started)
		clocked_tape_log_world(&dev->tape, now_ns);
	clocked_clock_start(&dev->clock, now_ns);
	dev->world = clocked_clock_frames(&dev->clock, now_ns);
	dev->state = state;
	clocked_device_note_start(dev);
}

/* The place that a real driver calls trigger stop. */
static void halt(struct clocked_device *dev, uint64_t now_ns)
{
	clocked_device_sync(dev, now_ns);
	end_gap(dev);
	if (dev->state != CLOCKED_XRUN && dev->state != CLOCKED_SETUP &&
	    dev->state != CLOCKED_LOST)
		clocked_device_note_stand(dev);
	if (dev->state == CLOCKED_RUNNING || dev->state == CLOCKED_DRAINING ||
	    dev->state == CLOCKED_PAUSED)
		clocked_tape_log_event(&dev->tape, "stop", clocked_device_log_frame(dev));
}

void clocked_device_prepare(struct clocked_device *dev, uint64_t now_ns)
{
	halt(dev, now_ns);
	dev->hw = dev->appl = 0;
	dev->state = CLOCKED_PREPARED;
}

int clocked_device_start(struct clocked_device *dev, uint64_t now_ns)
{
	if (dev->state != CLOCKED_PREPARED)
		return -EBADFD;
	if (dev->playback && dev->appl <= dev->hw &&
	    dev->stop_threshold != INT64_MAX)
		return -EPIPE;
	set_going(dev, now_ns, CLOCKED_RUNNING);
	dev->ran_from = clocked_device_log_frame(dev);
	clocked_tape_log_event(&dev->tape, "start", clocked_device_log_frame(dev));
	return 0;
}

void clocked_device_stop(struct clocked_device *dev, uint64_t now_ns)
{
	halt(dev, now_ns);
	dev->state = CLOCKED_SETUP;
}

int clocked_device_pause(struct clocked_device *dev, uint64_t now_ns, bool enable)
{
	clocked_device_sync(dev, now_ns);
	if (dev->state == CLOCKED_XRUN)
		return -EPIPE;
	if (dev->state != (enable ? CLOCKED_RUNNING : CLOCKED_PAUSED))
		return -EBADFD;
	end_gap(dev);
	if (enable)
		clocked_device_note_stand(dev);
	if (enable)
		dev->state = CLOCKED_PAUSED;
	else
		set_going(dev, now_ns, CLOCKED_RUNNING);
	clocked_tape_log_event(&dev->tape, enable ? "pause" : "release",
			       clocked_device_log_frame(dev));
	return 0;
}

void clocked_device_drain(struct clocked_device *dev, uint64_t now_ns)
{
	if (dev->state == CLOCKED_PREPARED) {
		set_going(dev, now_ns, CLOCKED_DRAINING);
		clocked_tape_log_event(&dev->tape, "start", clocked_device_log_frame(dev));
	} else if (dev->state == CLOCKED_RUNNING) {
		/* Before the sync: a program that is late with this loses no
		 * sound, and its end is no underrun. */
		dev->state = CLOCKED_DRAINING;
	}
	clocked_device_sync(dev, now_ns);
}

bool clocked_device_drained(const struct clocked_device *dev)
{
	return dev->state == CLOCKED_DRAINING && dev->hw >= dev->appl;
}

void clocked_device_reset(struct clocked_device *dev)
{
	dev->hw = dev->appl = 0;
}

int64_t clocked_device_holds(const struct clocked_device *dev)
{
	return max64(dev->playback ? dev->appl - dev->hw : dev->hw - dev->appl, 0);
}

static void jump_ahead(struct clocked_device *dev, int64_t frames)
{
	int64_t left = min64(frames, supply_left(dev)), n = left;

	while (!dev->playback && left > 0) {
		int64_t part = ring_run(dev, dev->hw, left);

		snd_pcm_format_set_silence(dev->format, ring_at(dev, dev->hw),
					   (unsigned int)part * dev->channels);
		dev->hw += part;
		left -= part;
	}
	dev->hw += left;
	clocked_tape_log_loss(&dev->tape, "jump", clocked_device_log_frame(dev), (uint64_t)n);
}

/* As far as it has what was there. */
static void jump_back(struct clocked_device *dev, int64_t frames)
{
	int64_t most = dev->playback ? min64(dev->hw, clocked_device_avail(dev)) :
				       clocked_device_holds(dev);
	int64_t n = min64(frames, max64(most, 0));

	dev->hw -= n;
	clocked_tape_log_loss(&dev->tape, "back", clocked_device_log_frame(dev), (uint64_t)n);
}

void clocked_device_jump(struct clocked_device *dev, uint64_t now_ns, int64_t frames)
{
	clocked_device_sync(dev, now_ns);
	if (dev->state != CLOCKED_RUNNING && dev->state != CLOCKED_DRAINING)
		return;
	if (frames > 0)
		jump_ahead(dev, frames);
	else
		jump_back(dev, -frames);
}

void clocked_device_transfer(struct clocked_device *dev,
			     const snd_pcm_channel_area_t *areas,
			     snd_pcm_uframes_t offset, snd_pcm_uframes_t n)
{
	int64_t position = dev->appl;
	int64_t left = (int64_t)n;

	/* After a rewind beyond hw: too late to be heard, and where it would go
	 * the frames of the next lap are. */
	if (dev->playback && position < dev->hw) {
		int64_t late = min64(dev->hw - position, left);

		position += late;
		offset += (snd_pcm_uframes_t)late;
		left -= late;
	}
	while (left > 0) {
		snd_pcm_uframes_t at = (snd_pcm_uframes_t)ring_index(dev, position);
		int64_t part = ring_run(dev, position, left);

		if (dev->playback)
			snd_pcm_areas_copy(dev->areas, at, areas, offset,
					   dev->channels, (snd_pcm_uframes_t)part,
					   dev->format);
		else
			snd_pcm_areas_copy(areas, offset, dev->areas, at,
					   dev->channels, (snd_pcm_uframes_t)part,
					   dev->format);
		position += part;
		offset += (snd_pcm_uframes_t)part;
		left -= part;
	}
}

int64_t clocked_device_avail(const struct clocked_device *dev)
{
	if (dev->playback)
		return dev->hw + dev->buffer - dev->appl;
	return dev->hw - dev->appl;
}

unsigned short clocked_device_events(const struct clocked_device *dev)
{
	unsigned short ready = dev->playback ? POLLOUT : POLLIN;

	switch (dev->state) {
	case CLOCKED_PREPARED:
	case CLOCKED_RUNNING:
	case CLOCKED_PAUSED:
		return clocked_device_avail(dev) >= dev->avail_min ? ready : 0;
	case CLOCKED_DRAINING:
		return clocked_device_drained(dev) ? ready : 0;
	case CLOCKED_SETUP:
	case CLOCKED_XRUN:
	case CLOCKED_SUSPENDED:
	case CLOCKED_LOST:
		break;
	}
	return ready | POLLERR;
}

/* Frames until hw is at the period interrupt that finds avail_min, or is held up
 * beyond any hope of one. */
static int64_t frames_to_ready(const struct clocked_device *dev)
{
	int64_t need = dev->hw + dev->avail_min - clocked_device_avail(dev);
	int64_t held = dev->hw + supply_left(dev);
	int64_t interrupt;

	if (need > held)
		return INT64_MAX;
	interrupt = (need + dev->period - 1) / dev->period * dev->period;
	return min64(interrupt, held) - dev->hw;
}

/* When the clock is to be there: a burst ends at whole ones only. */
static uint64_t time_of(const struct clocked_device *dev, uint64_t world)
{
	uint64_t burst = dev->seen.burst ? dev->seen.burst : 1;

	return clocked_clock_time(&dev->clock, (world + burst - 1) / burst * burst);
}

uint64_t clocked_device_wake_ns(const struct clocked_device *dev)
{
	int64_t wait;

	if (dev->seen.wakes == CLOCKED_WAKES_NEVER)
		return 0;
	if (dev->seen.wakes != CLOCKED_WAKES_WELL || clocked_device_events(dev) != 0)
		return 1;
	if ((dev->state != CLOCKED_RUNNING && dev->state != CLOCKED_DRAINING) ||
	    dev->clock.held)
		return 0;
	wait = min64(frames_to_stop(dev), frames_to_fault(dev));
	if (dev->state == CLOCKED_RUNNING)
		wait = min64(wait, frames_to_ready(dev));
	if (wait > WAIT_MAX)
		return 0;
	return time_of(dev, dev->world + (uint64_t)wait);
}
