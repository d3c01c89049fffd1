/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A program that goes by its own timer: it asks for periods of a second and looks at the
 * position in between. The yardstick is the card, which began at the time in its log and
 * has kept its rate since.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "tests/pcm_rig.h"

#define RATE 48000
#define PERIOD RATE
#define STEP (RATE / 100)	/* in which headroom serves the card: 10 ms */
#define N_LATE_PERCENT 10	/* looks that a busy machine may spoil */

static struct rig rig;
static uint32_t seed;

static const struct rig_params params[] = {
	{ SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_FORMAT_S16_LE, 2, RATE, PERIOD, 2 * PERIOD },
	{ SND_PCM_ACCESS_RW_INTERLEAVED, SND_PCM_FORMAT_S16_LE, 2, RATE, PERIOD, 4 * PERIOD },
	{ SND_PCM_ACCESS_MMAP_INTERLEAVED, SND_PCM_FORMAT_S16_LE, 2, RATE, PERIOD, 4 * PERIOD },
};

struct look {
	uint64_t before_ns, after_ns;
	long avail, delay;
	long heard_before, heard_after;		/* playback */
	long position;				/* as the program reckons it */
};

/* What all looks of a stream have shown. */
struct course {
	bool headroom, plays;
	uint64_t start_ns;		/* of the card's clock */
	long moved;			/* frames written or read */
	long last;			/* position */
	unsigned int n, n_moved, n_late;
	long least, most;		/* position minus the card's */
};

static void set_up(void)
{
	pcm_rig_init(&rig);
	seed = 5;
}

static void tear_down(void)
{
	pcm_rig_finish(&rig);
}

static long frames_between(uint64_t from_ns, uint64_t to_ns)
{
	return to_ns > from_ns ? (long)((to_ns - from_ns) * RATE / HR_NS_PER_S) : 0;
}

static void take_look(const struct course *course, struct look *look)
{
	snd_pcm_sframes_t avail, delay;

	look->heard_before = course->plays ? (long)rig_heard(&rig) : 0;
	look->before_ns = hr_now_ns();
	ck_assert_int_eq(snd_pcm_avail_delay(rig.pcm, &avail, &delay), 0);
	look->after_ns = hr_now_ns();
	look->heard_after = course->plays ? (long)rig_heard(&rig) : 0;
	look->avail = avail;
	look->delay = delay;
	look->position = course->plays ? course->moved - delay : course->moved + avail;
}

/* Avail and delay are told one after the other, and the card goes on meanwhile. */
static void check_sum(struct course *course, const struct look *look)
{
	long buffer = (long)rig.params.buffer;
	long off = course->plays ? buffer - look->avail - look->delay :
				   look->delay - look->avail;
	long lasted = frames_between(look->before_ns, look->after_ns) + 1;

	ck_assert_int_ge(look->avail, 0);
	ck_assert_int_le(look->avail, buffer);
	ck_assert_int_ge(off, 0);
	/* Through headroom a step of the card may fall in between, and a late one is large. */
	if (off > lasted + STEP)
		course->n_late++;
	if (!course->headroom)
		ck_assert_int_le(off, lasted);
}

/* Against the card's clock, which says where it was at the beginning of the look at
 * least, and at its end at most. */
static void check_place(struct course *course, const struct look *look)
{
	long step = course->headroom ? STEP : 0;
	long least = frames_between(course->start_ns, look->before_ns);
	long most = frames_between(course->start_ns, look->after_ns) + 1;

	if (look->position - least < course->least)
		course->least = look->position - least;
	if (look->position - most > course->most)
		course->most = look->position - most;
	ck_assert_int_le(look->position, most + step);
	/* The thread that serves the card may be late, the bare card cannot. */
	if (look->position < least - step - 1) {
		ck_assert(course->headroom);
		course->n_late++;
	}
	if (course->plays) {
		ck_assert_int_ge(look->position, look->heard_before - step);
		if (!course->headroom)
			ck_assert_int_le(look->position, look->heard_after);
	}
}

/* Write or read all there is room for, as such programs do when they wake. */
static void refill(struct course *course, long n)
{
	size_t bytes = (size_t)n * rig.frame_bytes;
	bool mapped = rig.params.access == SND_PCM_ACCESS_MMAP_INTERLEAVED;
	uint8_t *data = calloc(1, bytes + 1);
	snd_pcm_sframes_t done;

	ck_assert_ptr_nonnull(data);
	if (course->plays)
		done = mapped ? snd_pcm_mmap_writei(rig.pcm, data, (snd_pcm_uframes_t)n) :
				snd_pcm_writei(rig.pcm, data, (snd_pcm_uframes_t)n);
	else
		done = mapped ? snd_pcm_mmap_readi(rig.pcm, data, (snd_pcm_uframes_t)n) :
				snd_pcm_readi(rig.pcm, data, (snd_pcm_uframes_t)n);
	ck_assert_int_eq(done, n);
	/* Without a supply, a frame of the card is its own number. */
	for (long i = 0; !course->plays && i < n; i++) {
		uint32_t frame;

		memcpy(&frame, data + (size_t)i * rig.frame_bytes, sizeof(frame));
		ck_assert_uint_eq(frame, (uint32_t)(course->moved + i));
	}
	course->moved += n;
	free(data);
}

static void begin(struct course *course)
{
	unsigned long long frame, ns;

	rig_thresholds(&rig, (long)rig.params.buffer * 2, 0, 0);
	if (course->plays)
		refill(course, (long)rig.params.buffer);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_PREPARED);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	/* headroom's thread may start the card a moment later. */
	while (rig_log(&rig, "start", &frame, NULL) == 0)
		rig_sleep_ms(1);
	ck_assert_uint_eq(frame, 0);
	/* When the line about it was written is later than that. */
	ck_assert_uint_eq(rig_log(&rig, "world", &frame, &ns), 1);
	course->start_ns = ns;
}

/* Until a period and a half have passed. */
static void follow(struct course *course)
{
	struct look look;

	do {
		seed = seed * 1664525u + 1013904223u;
		rig_let_pass_ms(2 + (seed >> 8) % 30);
		take_look(course, &look);
		check_sum(course, &look);
		check_place(course, &look);
		ck_assert_int_ge(look.position, course->last);
		course->n++;
		course->n_moved += look.position > course->last &&
				   look.position / PERIOD == course->last / PERIOD;
		course->last = look.position;
		if (look.avail > PERIOD / 4)
			refill(course, look.avail);
	} while (look.position < PERIOD + PERIOD / 2);
}

static void watch(const struct rig_params *p, bool headroom, snd_pcm_stream_t stream)
{
	struct course course = {
		.headroom = headroom, .plays = stream == SND_PCM_STREAM_PLAYBACK,
	};

	rig_open_either(&rig, headroom, stream, 0, "", "", p);
	begin(&course);
	follow(&course);
	printf("%s %s, buffer %lu: %u looks, %u moved within a period, "
	       "%ld to %ld frames off, %u late\n", headroom ? "headroom" : "bare card",
	       snd_pcm_stream_name(stream), (unsigned long)p->buffer, course.n,
	       course.n_moved, course.least, course.most, course.n_late);
	/* A step is longer than the shortest rest, and one look is at a period's end. */
	ck_assert_uint_gt(course.n, 20);
	ck_assert_uint_ge(course.n_moved, course.n / 2);
	ck_assert_uint_le(course.n_late * 100, course.n * N_LATE_PERCENT);
	ck_assert_int_eq(snd_pcm_drop(rig.pcm), 0);
	ck_assert_uint_eq(rig_log(&rig, "xrun", NULL, NULL), 0);
	ck_assert_uint_eq(rig_log(&rig, "gap", NULL, NULL), 0);
}

START_TEST(bare_card_plays_between_its_periods)
{
	watch(&params[_i], false, SND_PCM_STREAM_PLAYBACK);
}
END_TEST

START_TEST(headroom_plays_between_its_periods)
{
	watch(&params[_i], true, SND_PCM_STREAM_PLAYBACK);
}
END_TEST

START_TEST(bare_card_records_between_its_periods)
{
	watch(&params[_i], false, SND_PCM_STREAM_CAPTURE);
}
END_TEST

START_TEST(headroom_records_between_its_periods)
{
	watch(&params[_i], true, SND_PCM_STREAM_CAPTURE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("timer");
	TCase *tcase = pcm_rig_case(suite, "timer", set_up, tear_down);
	int n = (int)N_OF(params);

	tcase_add_loop_test(tcase, bare_card_plays_between_its_periods, 0, n);
	tcase_add_loop_test(tcase, headroom_plays_between_its_periods, 0, n);
	tcase_add_loop_test(tcase, bare_card_records_between_its_periods, 0, n);
	tcase_add_loop_test(tcase, headroom_records_between_its_periods, 0, n);
	return pcm_rig_run(suite);
}
