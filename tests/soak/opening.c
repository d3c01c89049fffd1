/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/soak/opening.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/clock.h"
#include "tests/soak/counters.h"
#include "tests/soak/settle.h"

static const char *name_of(enum soak_stream stream)
{
	return stream < SOAK_AGAIN_PLAYBACK ? "long" : "again";
}

/* --- opening --- */

static void configure(struct soak_opening *o)
{
	const char *policy = o->setup.tolerant ? "on_underrun silence on_overrun drop" : "";
	const char *work = o->options->work, *name = name_of(o->stream);
	char text[1024];

	snprintf(o->log, sizeof(o->log), "%s/%s.%s", work, name, o->playback ? "p" : "c");
	snprintf(text, sizeof(text),
		 "pcm.%s { type headroom depth_ms %u %s\n"
		 "	slave.pcm { type clocked heard \"%s/%s.heard\" log \"%s\" } }\n",
		 name, o->setup.depth_ms, policy, work, name, o->log);
	o->config = soak_configure(text);
}

static void set_hardware(struct soak_opening *o)
{
	snd_pcm_hw_params_t *hw;

	snd_pcm_hw_params_alloca(&hw);
	soak_must(snd_pcm_hw_params_any(o->pcm, hw), "hw_params");
	soak_must(snd_pcm_hw_params_set_access(o->pcm, hw, o->setup.by_mmap ?
					       SND_PCM_ACCESS_MMAP_INTERLEAVED :
					       SND_PCM_ACCESS_RW_INTERLEAVED), "access");
	soak_must(snd_pcm_hw_params_set_format(o->pcm, hw, SND_PCM_FORMAT_S32_LE), "format");
	soak_must(snd_pcm_hw_params_set_channels(o->pcm, hw, 2), "channels");
	soak_must(snd_pcm_hw_params_set_rate(o->pcm, hw, o->setup.rate, 0), "rate");
	soak_must(snd_pcm_hw_params_set_period_size(o->pcm, hw, o->setup.period, 0), "period");
	soak_must(snd_pcm_hw_params_set_buffer_size(o->pcm, hw, o->setup.buffer), "buffer");
	soak_must(snd_pcm_hw_params(o->pcm, hw), "hw_params");
}

static void set_software(struct soak_opening *o)
{
	snd_pcm_sw_params_t *sw;

	if (!o->playback)
		return;
	snd_pcm_sw_params_alloca(&sw);
	soak_must(snd_pcm_sw_params_current(o->pcm, sw), "sw_params");
	/* A stream that starts with what was written first runs dry at once. */
	soak_must(snd_pcm_sw_params_set_start_threshold(o->pcm, sw, o->setup.buffer), "start");
	soak_must(snd_pcm_sw_params(o->pcm, sw), "sw_params");
}

void soak_opening_begin(struct soak_opening *o)
{
	const struct soak_far *far = &o->shared->far[o->stream / 2];

	o->playback = o->stream % 2 == 0;
	o->provoked = false;
	o->first = o->next;
	o->moved = o->expected = o->damaged = 0;
	o->restarts = 0;
	o->heard_before = soak_get(&far->heard);
	o->silence_before = soak_get(&far->silence);
	o->total_before = soak_get(&far->total);
	configure(o);
	o->frames = calloc(2 * (size_t)o->setup.period, SOAK_FRAME_BYTES);
	if (!o->frames)
		soak_die("out of memory");
	soak_must(snd_pcm_open_lconf(&o->pcm, name_of(o->stream), o->playback ?
				     SND_PCM_STREAM_PLAYBACK : SND_PCM_STREAM_CAPTURE, 0,
				     o->config), "open");
	set_hardware(o);
	set_software(o);
	o->ctl = soak_counters_open(o->config, name_of(o->stream));
}

/* --- moving frames --- */

static void stall(unsigned int ms)
{
	const struct timespec pause = { .tv_sec = ms / 1000,
					.tv_nsec = (long)(ms % 1000) * 1000000 };

	nanosleep(&pause, NULL);
}

static void make_frames(struct soak_opening *o, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		uint32_t number = (uint32_t)(o->next + i);

		o->frames[2 * i] = number;
		o->frames[2 * i + 1] = soak_checksum(number);
	}
}

/* What the card left out must be in the account at the end; what is checked here is that
 * each frame is whole, and behind the one before. */
static void check_frames(struct soak_opening *o, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		uint32_t ahead = o->frames[2 * i] - (uint32_t)o->expected;

		if (o->frames[2 * i + 1] != o->frames[2 * i] || ahead >= UINT32_MAX / 2)
			o->damaged++;
		else
			o->expected += ahead + 1u;
	}
}

/* A broken stream begins anew. */
static void recover(struct soak_opening *o, snd_pcm_sframes_t err)
{
	if (err != -EPIPE)
		soak_must(err, o->playback ? "write" : "read");
	o->restarts++;
	soak_must(snd_pcm_prepare(o->pcm), "prepare");
	if (!o->playback)
		soak_must(snd_pcm_start(o->pcm), "start");
}

static snd_pcm_sframes_t write_frames(struct soak_opening *o, unsigned int n)
{
	make_frames(o, n);
	return o->setup.by_mmap ? snd_pcm_mmap_writei(o->pcm, o->frames, n) :
				  snd_pcm_writei(o->pcm, o->frames, n);
}

static snd_pcm_sframes_t read_frames(struct soak_opening *o, unsigned int n)
{
	return o->setup.by_mmap ? snd_pcm_mmap_readi(o->pcm, o->frames, n) :
				  snd_pcm_readi(o->pcm, o->frames, n);
}

static void move_some(struct soak_opening *o)
{
	struct soak_account *account = &o->shared->accounts[o->stream];
	unsigned int n = soak_random_of(o->random, 1, 2 * o->setup.period);
	snd_pcm_sframes_t done = o->playback ? write_frames(o, n) : read_frames(o, n);

	if (done < 0) {
		recover(o, done);
		return;
	}
	if (o->playback)
		o->next += (uint64_t)done;
	else
		check_frames(o, (unsigned int)done);
	o->moved += (uint64_t)done;
	if (!o->setup.is_live)
		return;
	if (o->playback)
		soak_set(&account->supplied, o->moved);
	else
		soak_set(&account->delivered, o->moved);
}

static bool goes_on(const struct soak_opening *o, uint64_t end_ns)
{
	/* relaxed: see shared.h. */
	return hr_now_ns() < end_ns &&
	       !atomic_load_explicit(&o->shared->stop, memory_order_relaxed);
}

/* Whether the buffer is as full, or as empty, as it is at best: stalls one after the
 * other would add up. */
static bool is_at_ease(struct soak_opening *o)
{
	snd_pcm_sframes_t avail = snd_pcm_avail(o->pcm);

	return avail >= 0 && avail < (snd_pcm_sframes_t)(2 * o->setup.period);
}

/* A recorder that ends with nothing left to read throws little away; and what was lost
 * before is seen by what comes after it. */
static void catch_up(struct soak_opening *o)
{
	uint64_t more;

	while (!is_at_ease(o))
		move_some(o);
	for (more = o->moved + 2 * o->setup.period; o->moved < more;)
		move_some(o);
}

/* Stand still for so long that something is lost; a stream has to be running for that. */
static void provoke(struct soak_opening *o)
{
	o->provoked = true;
	soak_add(&o->shared->accounts[o->stream].provoked, 1);
	for (uint64_t begun = o->moved; o->moved < begun + o->setup.buffer;)
		move_some(o);
	stall(o->setup.provoke_ms);
	for (uint64_t begun = o->moved; o->moved < begun + 2 * o->setup.buffer;)
		move_some(o);
}

void soak_opening_run(struct soak_opening *o, uint64_t end_ns)
{
	struct soak_account *account = &o->shared->accounts[o->stream];

	if (!o->playback)
		soak_must(snd_pcm_start(o->pcm), "start");
	if (o->setup.provoke_ms)
		provoke(o);
	while (goes_on(o, end_ns)) {
		move_some(o);
		if (soak_random_one_in(o->random, o->setup.stall_one_in) && is_at_ease(o)) {
			soak_add(&account->stalls, 1);
			stall(soak_random_spread(o->random, o->setup.stall_ms));
		}
	}
	if (!o->playback)
		catch_up(o);
}

/* --- the end --- */

void soak_opening_end(struct soak_opening *o)
{
	int err = o->playback && o->setup.drains ? snd_pcm_drain(o->pcm) : 0;

	/* It ran dry before: what was taken was heard, or is counted. */
	if (err != -EPIPE)
		soak_must(err, "drain");
	snd_pcm_drop(o->pcm);
	soak_must(snd_pcm_close(o->pcm), "close");
	free(o->frames);
	soak_settle(o);
	snd_ctl_close(o->ctl);
	snd_config_delete(o->config);
}
