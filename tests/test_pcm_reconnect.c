/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * on_device_loss reconnect, playback: the card goes and comes back, the stream goes on in
 * real time, and each frame that was not heard is counted.
 *
 * The account is closed by the card's log: what was given to a card, and not heard, it took
 * along. What a card heard between headroom's last look and its going counts as lost, too: by
 * its own clock that is so much at most, and nothing if it stood still before.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "tests/away.h"
#include "tests/lines.h"

/* Between where a card says to be and when headroom says it was seen: a machine may be
 * busy in between. */
#define SLACK (2 * AWAY_STEP)

static struct rig rig;

static void set_up(void)
{
	pcm_rig_init(&rig);
	rig_be_commanded(&rig);
}

static void tear_down(void)
{
	pcm_rig_finish(&rig);
}

static int64_t counter(const char *what)
{
	return rig_stream_counter(&rig, HR_PLAYBACK, what);
}

/* Attempts to open a slave, which headroom makes by this call. */
static _Atomic unsigned int n_attempts;
static _Atomic uint64_t last_attempt_ns, least_rest_ns;

static void count_attempts_anew(void)
{
	atomic_store(&n_attempts, 0);
	atomic_store(&least_rest_ns, UINT64_MAX);
}

extern int _snd_pcm_empty_open(snd_pcm_t **pcmp, const char *name, snd_config_t *root,
			       snd_config_t *conf, snd_pcm_stream_t stream, int mode);

int _snd_pcm_empty_open(snd_pcm_t **pcmp, const char *name, snd_config_t *root,
			snd_config_t *conf, snd_pcm_stream_t stream, int mode)
{
	union {
		void *symbol;
		__typeof__(&_snd_pcm_empty_open) function;
	} real = { .symbol = dlsym(RTLD_NEXT, "_snd_pcm_empty_open") };
	uint64_t now_ns = hr_now_ns(), rest_ns = now_ns - atomic_load(&last_attempt_ns);

	if (atomic_fetch_add(&n_attempts, 1) > 0 && rest_ns < atomic_load(&least_rest_ns))
		atomic_store(&least_rest_ns, rest_ns);
	atomic_store(&last_attempt_ns, now_ns);
	return real.function(pcmp, name, root, conf, stream, mode);
}

/* Frame n holds n + 1, so that none looks like silence. */

static uint32_t written;

static void write_step(void)
{
	uint32_t frames[AWAY_STEP];

	for (unsigned int i = 0; i < AWAY_STEP; i++)
		frames[i] = written + i + 1;
	ck_assert_int_eq(snd_pcm_writei(rig.pcm, frames, AWAY_STEP), AWAY_STEP);
	written += AWAY_STEP;
}

static void write_until(const char *what, int64_t value)
{
	do
		write_step();
	while (counter(what) != value);
}

static void write_for(unsigned int n_steps)
{
	while (n_steps--)
		write_step();
}

/* The frames heard are those from `from` on, without a gap; their number. */
static size_t check_heard(const uint32_t *heard, size_t n, uint32_t from)
{
	for (size_t i = 0; i < n; i++)
		ck_assert_uint_eq(heard[i], from + i + 1);
	return n;
}

static void open_playback_of(const char *card_keys, const char *keys)
{
	char all[128];

	written = 0;
	snprintf(all, sizeof(all), "on_device_loss reconnect %s", keys);
	rig_open_headroom(&rig, SND_PCM_STREAM_PLAYBACK, 0, card_keys, all, &away_params);
	/* One that begins with its first step has to be written to at once. */
	rig_thresholds(&rig, 20 * AWAY_STEP, 0, 0);
}

static void open_playback(const char *keys)
{
	open_playback_of("", keys);
}

/* What the card that is open now has heard: from frame `from` on, or the last of all that
 * were written. */
static size_t read_heard(bool last)
{
	size_t n;
	uint32_t *heard = (uint32_t *)rig_slurp(rig.heard, &n);

	n /= sizeof(*heard);
	check_heard(heard, n, last ? (uint32_t)(written - n) : 0);
	free(heard);
	return n;
}

/* Headroom knows that the card is away. */
static struct away note_loss(bool stood)
{
	struct away away = away_read(&rig, HR_PLAYBACK);

	ck_assert_uint_eq(read_heard(false), away.frames);
	away.unseen = stood ? 0 : away.unseen + SLACK;
	return away;
}

/* The card goes while the program writes. */
static struct away lose_while_playing(bool stands)
{
	while (rig_heard(&rig) < 10 * AWAY_STEP)
		write_step();
	if (stands)
		away_let_stand(&rig);
	RIG_COMMAND(&rig, lost, 1);
	write_until("State", 9);	/* Disconnected */
	return note_loss(stands);
}

/* So much was heard since, and nothing waits any more. */
static void check_playback_account(struct away away, size_t after)
{
	const int64_t given = counter("Frames");
	const int64_t dropped = counter("Frames Dropped");
	const int64_t lost = written - given + (int64_t)away.along;

	ck_assert_int_eq(given, (int64_t)(away.frames + away.along + after));
	ck_assert_msg(dropped >= lost && dropped <= lost + (int64_t)away.unseen,
		      "written %u, given %lld, heard %llu and %zu: %lld lost and %llu doubtful, "
		      "dropped %lld", written, (long long)given, (unsigned long long)away.frames,
		      after, (long long)lost, (unsigned long long)away.unseen,
		      (long long)dropped);
}

START_TEST(playback_goes_on_and_is_heard_again)		/* _i & 2: it stands before */
{
	struct away away;
	size_t after;

	open_playback(_i & 1 ? "on_underrun silence" : "");
	away = lose_while_playing(_i & 2);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_RUNNING);
	write_for(30);
	RIG_COMMAND(&rig, still, 0);
	RIG_COMMAND(&rig, lost, 0);
	write_until("State", 4);	/* Running */
	write_for(30);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	/* Those at the end, all of them in order; what is missing is counted. */
	after = read_heard(true);
	ck_assert_uint_gt(after, 20 * AWAY_STEP);
	check_playback_account(away, after);
	ck_assert_int_eq(counter("Device Xruns"), 1);
	ck_assert_int_eq(counter("Xruns"), 0);
	ck_assert_int_eq(counter("Xrun Cause"), 3);
}
END_TEST

static void write_until_opened(unsigned int times)
{
	unsigned int before = rig_log(&rig, "open", NULL, NULL);

	do
		write_step();
	while (rig_log(&rig, "open", NULL, NULL) < before + times);
}

/* Looked at each time it is looked for, told of once, and taken when it is as it was. */
START_TEST(a_card_that_comes_back_with_other_sizes_is_not_taken)
{
	static const char said_other[] = "*with period 1024 and buffer*instead of 480 and*";
	static const char said_back[] = "*is back after*";
	struct away away;

	keep_lines();
	open_playback_of("formats S32_LE channels_min 1 channels_max 1", "");
	away = lose_while_playing(false);
	RIG_COMMAND(&rig, period, 1024);
	RIG_COMMAND(&rig, lost, 0);
	write_until_opened(3);
	ck_assert_int_eq(counter("State"), 9);
	ck_assert_uint_eq(lines_like(said_other), 1);
	ck_assert_uint_eq(lines_like(said_back), 0);
	RIG_COMMAND(&rig, period, 0);
	write_until("State", 4);
	write_for(30);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	ck_assert_uint_eq(lines_like(said_other), 1);
	ck_assert_uint_eq(lines_like(said_back), 1);
	check_playback_account(away, read_heard(true));
	ck_assert_int_eq(counter("Device Xruns"), 1);
}
END_TEST

START_TEST(the_channel_map_is_set_again)
{
	snd_pcm_chmap_t *map = malloc(sizeof(*map) + sizeof(map->pos[0]));

	rig_open_headroom(&rig, SND_PCM_STREAM_PLAYBACK, 0, "chmaps 1",
			  "on_device_loss reconnect", &away_params);
	written = 0;
	ck_assert_ptr_nonnull(map);
	map->channels = 1;
	map->pos[0] = SND_CHMAP_LFE;
	ck_assert_int_eq(snd_pcm_set_chmap(rig.pcm, map), 0);
	free(map);
	(void)lose_while_playing(false);
	ck_assert_ptr_null(snd_pcm_get_chmap(rig.pcm));
	RIG_COMMAND(&rig, lost, 0);
	write_until("State", 4);	/* Running */
	map = snd_pcm_get_chmap(rig.pcm);
	ck_assert_ptr_nonnull(map);
	ck_assert_uint_eq(map->channels, 1);
	ck_assert_uint_eq(map->pos[0], SND_CHMAP_LFE);
	free(map);
}
END_TEST

/* Once a second, and the stream goes on meanwhile. */
START_TEST(it_is_looked_for_once_a_second)
{
	uint64_t lost_ns;

	open_playback("");
	(void)lose_while_playing(false);
	lost_ns = hr_now_ns();
	count_attempts_anew();
	while (atomic_load(&n_attempts) < 3)
		write_step();
	ck_assert_uint_ge(atomic_load(&least_rest_ns), HR_NS_PER_S - HR_NS_PER_MS);
	ck_assert_uint_le(atomic_load(&last_attempt_ns) - lost_ns, 10 * HR_NS_PER_S);
	ck_assert_int_eq(counter("Xruns"), 0);
}
END_TEST

/* In real time: what is not there takes what is written no faster. */
START_TEST(nobody_listens_in_real_time)			/* _i: it stood before */
{
	uint64_t begun_ns, took_ns;
	struct away away;

	open_playback("");
	away = lose_while_playing(_i);
	begun_ns = hr_now_ns();
	write_for(200);
	took_ns = hr_now_ns() - begun_ns;
	/* The buffer may be empty at first and full in the end. */
	ck_assert_uint_ge(took_ns, (200 - AWAY_BUFFER / AWAY_STEP - 1) * 10 * HR_NS_PER_MS);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	check_playback_account(away, 0);
	ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_SETUP);
}
END_TEST

/* A program that is late for nobody is told as ever. */
START_TEST(an_underrun_is_one_without_a_card_too)	/* _i: it stood before */
{
	struct away away;

	open_playback("");
	away = lose_while_playing(_i);
	rig_wait_state(&rig, SND_PCM_STATE_XRUN);
	ck_assert_int_eq(counter("Xruns"), 1);
	ck_assert_int_eq(counter("Xrun Cause"), 1);
	check_playback_account(away, 0);
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	write_for(25);
	RIG_COMMAND(&rig, still, 0);
	RIG_COMMAND(&rig, lost, 0);
	write_until("State", 4);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	check_playback_account(away, read_heard(true));
}
END_TEST

/* Whatever the program does when the card is not there: it is as if it were. */
START_TEST(all_that_can_be_asked_of_a_stream_works_without_a_card)
{
	snd_pcm_sframes_t delay, avail;

	open_playback("");
	(void)lose_while_playing(false);
	ck_assert_int_eq(snd_pcm_pause(rig.pcm, 1), 0);
	ck_assert_int_eq(snd_pcm_delay(rig.pcm, &delay), 0);
	rig_let_pass_ms(30);
	ck_assert_int_eq(snd_pcm_avail_delay(rig.pcm, &avail, &delay), 0);
	ck_assert_int_eq(snd_pcm_pause(rig.pcm, 0), 0);
	write_for(3);
	ck_assert_int_gt(snd_pcm_rewind(rig.pcm, AWAY_STEP), 0);
	ck_assert_int_eq(snd_pcm_drop(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	write_for(25);
	ck_assert_ptr_null(snd_pcm_get_chmap(rig.pcm));
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_hw_free(rig.pcm), 0);
	RIG_COMMAND(&rig, lost, 0);
	/* It is there again: no need to wait for that. */
	rig_install(&rig, &away_params);
	rig_thresholds(&rig, 20 * AWAY_STEP, 0, 0);
	write_for(25);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	ck_assert_int_eq(counter("State"), 2);
}
END_TEST

/* Found out by the start, while it is paused, by the end of a pause, or by prepare. It
 * stands then, so that all is known. */
START_TEST(a_card_that_went_when_nobody_looked_is_no_error)
{
	struct away away;

	open_playback("");
	rig_thresholds(&rig, AWAY_BUFFER, 0, 0);
	write_for(10);
	if (_i == 1 || _i == 2) {
		ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
		ck_assert_int_eq(snd_pcm_pause(rig.pcm, 1), 0);
	}
	RIG_COMMAND(&rig, lost, 1);
	if (_i == 0) {
		ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	} else if (_i == 1) {
		ck_assert_int_eq(snd_pcm_pause(rig.pcm, 0), 0);
	} else if (_i == 2) {
		while (counter("State") != 9)
			(void)snd_pcm_avail(rig.pcm);
		ck_assert_int_eq(snd_pcm_state(rig.pcm), SND_PCM_STATE_PAUSED);
		ck_assert_int_eq(snd_pcm_pause(rig.pcm, 0), 0);
	} else {
		ck_assert_int_eq(snd_pcm_drop(rig.pcm), 0);
		written = 0;		/* it has thrown them away */
		ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
		write_for(10);
		ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	}
	while (counter("State") != 9)
		write_step();
	away = note_loss(true);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	check_playback_account(away, 0);
}
END_TEST

/* Suspended first, and then gone: whether it is prepared or resumed, each frame counts once. */
START_TEST(a_card_that_goes_while_it_is_suspended_costs_each_frame_once)
{
	struct away away;

	open_playback("");
	rig_thresholds(&rig, AWAY_BUFFER, 0, 0);
	write_for(60);
	ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	rig_wait_avail(&rig, AWAY_BUFFER - 50 * AWAY_STEP);
	away_let_stand(&rig);
	RIG_COMMAND(&rig, suspends, 1);
	rig_wait_state(&rig, SND_PCM_STATE_SUSPENDED);
	RIG_COMMAND(&rig, lost, 1);
	ck_assert_int_eq(_i ? snd_pcm_resume(rig.pcm) : snd_pcm_prepare(rig.pcm), 0);
	away = note_loss(true);
	if (_i)
		ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	check_playback_account(away, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reconnect");
	TCase *tcase = pcm_rig_case(suite, "reconnect", set_up, tear_down);

	tcase_add_loop_test(tcase, playback_goes_on_and_is_heard_again, 0, 4);
	tcase_add_test(tcase, it_is_looked_for_once_a_second);
	tcase_add_loop_test(tcase, nobody_listens_in_real_time, 0, 2);
	tcase_add_loop_test(tcase, an_underrun_is_one_without_a_card_too, 0, 2);
	tcase_add_test(tcase, the_channel_map_is_set_again);
	tcase_add_test(tcase, a_card_that_comes_back_with_other_sizes_is_not_taken);
	tcase_add_test(tcase, all_that_can_be_asked_of_a_stream_works_without_a_card);
	tcase_add_loop_test(tcase, a_card_that_went_when_nobody_looked_is_no_error, 0, 4);
	tcase_add_loop_test(tcase, a_card_that_goes_while_it_is_suspended_costs_each_frame_once,
			    0, 2);
	return pcm_rig_run(suite);
}
