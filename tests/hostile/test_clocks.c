/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Clocks that do what clocks do: the time of day is set, the machine is suspended, or
 * stands still as a virtual one may, so that hours pass at once. No clock but
 * CLOCK_MONOTONIC is asked, which neither a time that is set nor a suspend moves; and a
 * jump of that one costs no frame.
 */
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "tests/hostile/imports.h"
#include "tests/pcm_rig.h"

#define FRAMES 24000
#define HOUR_NS (3600ll * (long long)HR_NS_PER_S)

static struct rig rig;

static const struct rig_params stereo = {
	.access = SND_PCM_ACCESS_RW_INTERLEAVED, .format = SND_PCM_FORMAT_S16_LE,
	.channels = 2, .rate = 48000, .period = 480, .buffer = 4800,
};

static void set_up(void)
{
	const char *module = getenv("HEADROOM_PCM_LIB");

	pcm_rig_init(&rig);
	ck_assert_msg(module && imports_take(module) > 20, "no imports");
}

static void tear_down(void)
{
	pcm_rig_finish(&rig);
}

/* The card's clock is another and goes on as before. */
static void play(bool jumps)
{
	uint8_t *data;

	rig_open_headroom(&rig, SND_PCM_STREAM_PLAYBACK, 0, "", "", &stereo);
	data = rig_noise(&rig, FRAMES, 81);
	for (size_t at = 0; at < FRAMES; at += 2400) {
		rig_write(&rig, data + at * 4, 2400, 480);
		if (jumps)
			imports_shift_clock((long long)(at / 2400 + 1) * HOUR_NS);
	}
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	rig_assert_heard(&rig, data, FRAMES);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Frames"), FRAMES);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Frames Dropped"), 0);
	free(data);
}

static void record(bool jumps)
{
	static uint32_t got[FRAMES];

	/* Ten seconds in the card: what is lost is not lost because somebody was late. */
	rig_open_headroom(&rig, SND_PCM_STREAM_CAPTURE, 0, "",
			  "depth_ms 20000 slave.buffer 480000", &stereo);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	for (size_t at = 0; at < FRAMES; at += 2400) {
		rig_read(&rig, (uint8_t *)(got + at), 2400);
		if (jumps)
			imports_shift_clock((long long)(at / 2400 + 1) * HOUR_NS);
	}
	for (uint32_t i = 0; i < FRAMES; i++)
		ck_assert_uint_eq(got[i], i);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Capture Frames Dropped"), 0);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Capture Device Xruns"), 0);
}

START_TEST(no_clock_but_the_monotonic_one_is_asked)	/* _i: capture */
{
	if (_i)
		record(false);
	else
		play(false);
	ck_assert(!imports_used_other_clock());
}
END_TEST

START_TEST(hours_that_pass_at_once_cost_no_frame)	/* _i: capture */
{
	if (_i)
		record(true);
	else
		play(true);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("clocks");
	TCase *tcase = pcm_rig_case(suite, "clocks", set_up, tear_down);

	tcase_add_loop_test(tcase, no_clock_but_the_monotonic_one_is_asked, 0, 2);
	tcase_add_loop_test(tcase, hours_that_pass_at_once_cost_no_frame, 0, 2);
	return pcm_rig_run(suite);
}
