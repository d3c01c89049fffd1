/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "tests/contract/contract.h"

#define LOOKS_MAX 200
#define LOOK_NS (HR_NS_PER_MS / 2)	/* a look that took longer says nothing */
#define LONGEST_WAIT_NS (10 * HR_NS_PER_S)

static bool is_moving(snd_pcm_state_t state)
{
	return state == SND_PCM_STATE_RUNNING || state == SND_PCM_STATE_DRAINING;
}

/* Frames that have passed the converter. */
static long place_of(const struct trial *trial, long delay)
{
	return trial->stream == SND_PCM_STREAM_PLAYBACK ? (long)trial->written - delay :
							   (long)trial->written + delay;
}

/* Again until the clock and the place belong together. */
static void look(struct trial *trial, struct note *note)
{
	snd_pcm_sframes_t avail = 0, delay = 0;
	uint64_t before_ns = 0, after_ns = 0;
	int err = -EAGAIN;

	for (int i = 0; i < LOOKS_MAX; i++) {
		before_ns = hr_now_ns();
		err = snd_pcm_avail_delay(trial->pcm, &avail, &delay);
		after_ns = hr_now_ns();
		if (err < 0 || after_ns - before_ns < LOOK_NS)
			break;
	}
	note->state = snd_pcm_state(trial->pcm);
	if (err < 0) {
		note->avail = err;	/* which is a result as well */
		note->has_place = !is_moving(note->state);
		return;
	}
	note->has_place = true;
	note->avail = avail;
	note->delay = delay;
	note->moves = is_moving(note->state) && trial->started_ns;
	if (!note->moves)
		return;
	note->avail = trial->stream == SND_PCM_STREAM_PLAYBACK ? avail + delay :
								  avail - delay;
	note->delay = 0;
	note->behind = trial->place0 - place_of(trial, delay) +
		       (long)hr_ns_to_frames(after_ns - trial->started_ns, RATE);
}

__attribute__((format(printf, 3, 0)))
static struct note *next_note(struct trial *trial, long result, const char *format,
			      va_list args)
{
	struct note *n;

	if (trial->n_notes == NOTES_MAX)
		abort();
	n = &trial->notes[trial->n_notes++];
	*n = (struct note){ .result = result };
	vsnprintf(n->label, sizeof(n->label), format, args);
	n->state = snd_pcm_state(trial->pcm);
	return n;
}

void note(struct trial *trial, long result, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	look(trial, next_note(trial, result, format, args));
	va_end(args);
}

void note_result(struct trial *trial, long result, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	next_note(trial, result, format, args);
	va_end(args);
}

void note_near(struct trial *trial, long number, const char *format, ...)
{
	struct note *n;
	va_list args;

	va_start(args, format);
	n = next_note(trial, 0, format, args);
	va_end(args);
	n->has_place = true;
	n->moves = true;
	n->avail = number;
}

void note_heard(struct trial *trial, const char *label)
{
	size_t n = 0;
	int16_t *heard = trial->device->heard(trial->device, &n);
	uint32_t sum = 2166136261u;	/* FNV-1a over the frames */

	for (size_t i = 0; i < 2 * n; i++)
		sum = (sum ^ (uint16_t)heard[i]) * 16777619u;
	free(heard);
	note_result(trial, (long)n, "%s: frames", label);
	note_result(trial, (long)sum, "%s: sum", label);
}

void let_pass(unsigned int ms)
{
	uint64_t until_ns = hr_now_ns() + ms * HR_NS_PER_MS;

	do {
		poll(NULL, 0, (int)ms);
	} while (hr_now_ns() < until_ns);
}

void wait_state(struct trial *trial, snd_pcm_state_t state)
{
	uint64_t give_up_ns = hr_now_ns() + LONGEST_WAIT_NS;

	do {
		snd_pcm_avail(trial->pcm);
		if (snd_pcm_state(trial->pcm) == state)
			return;
		poll(NULL, 0, 1);	/* a look each ms until it is so */
	} while (hr_now_ns() < give_up_ns);
}

void begin_anew(struct trial *trial)
{
	snd_pcm_drop(trial->pcm);
	snd_pcm_prepare(trial->pcm);
	trial->written = 0;
	trial->started_ns = 0;
}

long move_frames(struct trial *trial, snd_pcm_uframes_t n)
{
	int16_t sink[2 * 4096];
	snd_pcm_sframes_t done;

	if (trial->stream == SND_PCM_STREAM_PLAYBACK)
		done = snd_pcm_writei(trial->pcm, trial->sound + 2 * trial->written, n);
	else
		done = snd_pcm_readi(trial->pcm, sink, n < 4096 ? n : 4096);
	if (done > 0)
		trial->written += (size_t)done;
	return done;
}

void mark_start(struct trial *trial)
{
	snd_pcm_sframes_t delay = 0;

	trial->started_ns = hr_now_ns();
	snd_pcm_delay(trial->pcm, &delay);
	trial->place0 = place_of(trial, delay);
}

int start(struct trial *trial)
{
	snd_pcm_sframes_t delay = 0;

	snd_pcm_delay(trial->pcm, &delay);
	trial->place0 = place_of(trial, delay);
	trial->started_ns = hr_now_ns();
	return snd_pcm_start(trial->pcm);
}

int set_thresholds(struct trial *trial, long start_at, long stop_at, long avail_min)
{
	snd_pcm_sw_params_t *sw;

	snd_pcm_sw_params_alloca(&sw);
	snd_pcm_sw_params_current(trial->pcm, sw);
	if (start_at >= 0)
		snd_pcm_sw_params_set_start_threshold(trial->pcm, sw,
						      (snd_pcm_uframes_t)start_at);
	if (stop_at >= 0)
		snd_pcm_sw_params_set_stop_threshold(trial->pcm, sw,
						     (snd_pcm_uframes_t)stop_at);
	if (avail_min >= 0)
		snd_pcm_sw_params_set_avail_min(trial->pcm, sw,
						(snd_pcm_uframes_t)avail_min);
	return snd_pcm_sw_params(trial->pcm, sw);
}

void wait_passed(struct trial *trial, snd_pcm_uframes_t n)
{
	uint64_t give_up_ns = hr_now_ns() + LONGEST_WAIT_NS;
	snd_pcm_sframes_t delay = 0;

	while (hr_now_ns() < give_up_ns && snd_pcm_avail(trial->pcm) >= 0 &&
	       is_moving(snd_pcm_state(trial->pcm)) &&
	       snd_pcm_delay(trial->pcm, &delay) == 0 &&
	       place_of(trial, delay) - trial->place0 < (long)n)
		poll(NULL, 0, 1);	/* a look each ms until it is there */
}

unsigned short poll_for(struct trial *trial, int ms)
{
	uint64_t until_ns = hr_now_ns() + (uint64_t)ms * HR_NS_PER_MS;
	struct pollfd fds[16];
	unsigned short events = 0;
	int n = snd_pcm_poll_descriptors_count(trial->pcm);

	if (n < 1 || n > 16 ||
	    snd_pcm_poll_descriptors(trial->pcm, fds, (unsigned int)n) != n)
		return POLLNVAL;
	for (;;) {
		uint64_t now_ns = hr_now_ns();
		uint64_t left_ns = until_ns > now_ns ? until_ns - now_ns : 0;

		if (poll(fds, (nfds_t)n, (int)(left_ns / HR_NS_PER_MS)) <= 0)
			return 0;
		snd_pcm_poll_descriptors_revents(trial->pcm, fds, (unsigned int)n,
						 &events);
		if (events)
			return events;
	}
}

bool can_pause(struct trial *trial)
{
	snd_pcm_hw_params_t *hw;

	snd_pcm_hw_params_alloca(&hw);
	return snd_pcm_hw_params_current(trial->pcm, hw) == 0 &&
	       snd_pcm_hw_params_can_pause(hw);
}

static int install(struct trial *trial)
{
	snd_pcm_hw_params_t *hw;
	snd_pcm_sw_params_t *sw;
	int err;

	snd_pcm_hw_params_alloca(&hw);
	snd_pcm_sw_params_alloca(&sw);
	if ((err = snd_pcm_hw_params_any(trial->pcm, hw)) < 0 ||
	    (err = snd_pcm_hw_params_set_access(trial->pcm, hw,
				SND_PCM_ACCESS_RW_INTERLEAVED)) < 0 ||
	    (err = snd_pcm_hw_params_set_format(trial->pcm, hw,
				SND_PCM_FORMAT_S16_LE)) < 0 ||
	    (err = snd_pcm_hw_params_set_channels(trial->pcm, hw, 2)) < 0 ||
	    (err = snd_pcm_hw_params_set_rate(trial->pcm, hw, RATE, 0)) < 0 ||
	    (err = snd_pcm_hw_params_set_period_size(trial->pcm, hw,
						     trial->period, 0)) < 0 ||
	    (err = snd_pcm_hw_params_set_buffer_size(trial->pcm, hw,
						     trial->buffer)) < 0 ||
	    (err = snd_pcm_hw_params(trial->pcm, hw)) < 0 ||
	    (err = snd_pcm_sw_params_current(trial->pcm, sw)) < 0)
		return err;
	return snd_pcm_sw_params_get_boundary(sw, &trial->boundary);
}

int trial_run(struct trial *trial, const struct scenario *scenario,
	      struct device *device, snd_pcm_uframes_t period, snd_pcm_uframes_t buffer)
{
	size_t n = 8 * buffer;
	int err;

	*trial = (struct trial){ .device = device, .stream = scenario->stream,
				 .period = period, .buffer = buffer };
	trial->sound = calloc(n, 2 * sizeof(*trial->sound));
	if (!trial->sound)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		trial->sound[2 * i] = trial->sound[2 * i + 1] = (int16_t)(i % 30000 + 1);
	err = device->open(device, &trial->pcm, scenario->stream);
	if (err < 0) {
		fprintf(stderr, "%s cannot be opened: %s\n", device->label,
			snd_strerror(err));
		return err;
	}
	err = install(trial);
	if (err < 0)
		fprintf(stderr, "%s cannot be set up: %s\n", device->label,
			snd_strerror(err));
	else
		scenario->run(trial);
	device->close(device, trial->pcm);
	return err;
}

void trial_finish(struct trial *trial)
{
	free(trial->sound);
	trial->sound = NULL;
}
