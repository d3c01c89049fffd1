/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What the control device's events tell of streams that are there, and when.
 */
#include <string.h>
#include <sys/wait.h>
#include "core/clock.h"
#include "tests/event_fixture.h"

#define TRIES 10		/* of which the best must be at once */
#define AT_ONCE_NS (100 * HR_NS_PER_MS)

/* --- changes of one urgent element and no other; n counts them --- */

static void change_state(struct hr_page *page, unsigned int n)
{
	hr_page_set(page, HR_STAT_STATE, n % 2 ? HR_STATE_PAUSED : HR_STATE_RUNNING);
}

static void change_health(struct hr_page *page, unsigned int n)
{
	hr_health_set_pressure(hr_page_health(page), n % 2 == 0);
}

static void change_pressure(struct hr_page *page, unsigned int n)
{
	/* It begins in the far future, so that its time does not grow. */
	hr_page_set(page, HR_STAT_PRESSURE_SINCE_NS, UINT64_MAX);
	hr_page_set(page, HR_STAT_PRESSURE_RAISED, n % 2 == 0);
}

/* Healthy it is no more before. */
static void change_xruns(struct hr_page *page, unsigned int n)
{
	(void)n;
	hr_health_overrun(hr_page_health(page));
}

static void change_trigger(struct hr_page *page, unsigned int n)
{
	ck_assert_int_eq(hr_page_set_trigger(page, 81 + n), 1);
}

static void change_clear(struct hr_page *page, unsigned int n)
{
	ck_assert_int_eq(hr_page_set_clear(page, 59 - n), 1);
}

static const struct {
	const char *suffix;
	void (*change)(struct hr_page *page, unsigned int n);
} urgent[] = {
	{ "State", change_state },
	{ "Healthy", change_health },
	{ "Pressure State", change_pressure },
	{ "Xruns", change_xruns },
	{ "Trigger", change_trigger },
	{ "Clear", change_clear },
};
#define N_URGENT ((int)N_ITEMS(urgent))

/* A stream for the changes above. */
static struct hr_page *open_for_change(enum hr_direction direction)
{
	struct hr_page *page = open_page(direction, hr_now_ns());

	hr_health_overrun(hr_page_health(page));
	return page;
}

static struct hr_page *open_for(int i, enum hr_direction direction)
{
	return urgent[i].change == change_health ? open_page(direction, hr_now_ns()) :
						   open_for_change(direction);
}

START_TEST(an_urgent_change_is_told_by_exactly_one_event)
{
	enum source source = _i % 2 ? CAPTURE : PLAYBACK;
	struct hr_page *page = open_for(_i, _i % 2 ? HR_CAPTURE : HR_PLAYBACK);
	snd_ctl_t *ctl = open_subscribed();
	struct tally tally = { 0 };

	urgent[_i].change(page, 0);
	hr_page_announce(page);
	tally_for(ctl, &tally, LATER_MS);
	ck_assert_uint_eq(times_told(&tally, source, urgent[_i].suffix), 1);
	ck_assert_uint_eq(n_told(&tally), 1);
	ck_assert_uint_eq(n_added(&tally), 0);
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

START_TEST(an_urgent_change_is_told_at_once)
{
	struct hr_page *page = open_for(_i, HR_PLAYBACK);
	snd_ctl_t *ctl = open_subscribed();
	uint64_t best_ns = UINT64_MAX;

	for (unsigned int n = 0; n < TRIES; n++) {
		uint64_t ns;

		urgent[_i].change(page, n);
		hr_page_announce(page);
		ns = await(ctl, PLAYBACK, urgent[_i].suffix);
		if (ns < best_ns)
			best_ns = ns;
	}
	ck_assert_uint_lt(best_ns, AT_ONCE_NS);
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

START_TEST(what_is_read_after_an_event_is_new)
{
	struct hr_page *page = open_for_change(HR_PLAYBACK);
	snd_ctl_t *ctl = open_subscribed();

	for (unsigned int n = 0; n < TRIES; n++) {
		read_playback(ctl, "Xruns");
		hr_health_overrun(hr_page_health(page));
		hr_page_announce(page);
		await(ctl, PLAYBACK, "Xruns");
		ck_assert_int_eq(read_playback(ctl, "Xruns"), n + 2);
	}
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

/* The same for what is found by comparing. */
START_TEST(a_counter_that_is_read_after_its_event_is_new)
{
	struct hr_page *page = open_page(HR_PLAYBACK, hr_now_ns());
	snd_ctl_t *ctl = open_subscribed();
	struct event event;

	hr_page_set(page, HR_STAT_FRAMES, 1);
	for (uint64_t n = 2; n < 4; n++) {
		/* So that something old is there to be served. */
		while (!is_readable(ctl, 0))
			read_playback(ctl, "Frames");
		hr_page_set(page, HR_STAT_FRAMES, n);
		do
			ck_assert(next_event(ctl, &event, AT_LAST_MS));
		while (!is_event(&event, PLAYBACK, "Frames"));
		ck_assert_int_eq(read_playback(ctl, "Frames"), n);
	}
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

/* _i: of a stream that lives, that has ended, or none. */
START_TEST(what_was_there_before_is_not_told)
{
	struct hr_page *page = _i < 2 ? open_page(HR_PLAYBACK, hr_now_ns()) : NULL;
	struct tally tally = { 0 };
	snd_ctl_t *ctl;

	if (page) {
		hr_page_set(page, HR_STAT_FRAMES, 1000);
		hr_health_drop(hr_page_health(page), 1000);
	}
	if (_i == 1)
		hr_page_close(page, hr_now_ns());
	ctl = open_subscribed();
	tally_for(ctl, &tally, LATER_MS);
	ck_assert_uint_eq(n_told(&tally), 0);
	ck_assert_uint_eq(n_added(&tally), 0);
	if (_i > 0)
		ck_assert_uint_eq(times_told(&tally, PLAYBACK, "Uptime"), 0);
	snd_ctl_close(ctl);
	if (_i == 0)
		hr_page_close(page, hr_now_ns());
}
END_TEST

START_TEST(an_announcement_of_nothing_is_not_told)
{
	struct hr_page *page = open_page(HR_PLAYBACK, hr_now_ns());
	snd_ctl_t *ctl = open_subscribed();
	struct tally tally = { 0 };

	for (int i = 0; i < 20; i++) {
		hr_page_announce(page);
		tally_for(ctl, &tally, 10);
	}
	ck_assert_uint_eq(n_told(&tally), 0);
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

START_TEST(whatever_changed_is_told_and_nothing_else)
{
	snd_ctl_t *ctl = open_subscribed();
	int64_t before[N_EXPECTED];
	struct tally tally = { 0 };
	struct hr_page *page;

	for (size_t i = 0; i < N_EXPECTED; i++)
		before[i] = read_playback(ctl, expected[i].suffix);
	page = open_busy_page(HR_PLAYBACK);
	hr_page_set(page, HR_STAT_PRESSURE_SINCE_NS, hr_now_ns() - HR_NS_PER_S);
	hr_page_set(page, HR_STAT_PRESSURE_RAISED, 1);
	hr_page_announce(page);
	tally_for(ctl, &tally, 2 * LATER_MS);
	for (size_t i = 0; i < N_EXPECTED; i++) {
		bool has_changed = before[i] != read_playback(ctl, expected[i].suffix);

		/* It comes and goes. */
		if (!strcmp(expected[i].suffix, "Throughput"))
			continue;
		ck_assert_msg((tally.told[PLAYBACK][i] > 0) == has_changed,
			      "%s: %u events", expected[i].suffix,
			      tally.told[PLAYBACK][i]);
		ck_assert_uint_eq(tally.told[CAPTURE][i], 0);
	}
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

START_TEST(what_changes_often_before_it_is_read_is_told_once)
{
	struct hr_page *page = open_page(HR_PLAYBACK, hr_now_ns());
	snd_ctl_t *ctl = open_subscribed();
	struct tally tally = { 0 };

	for (unsigned int n = 0; n < 7; n++) {
		change_state(page, n);
		change_trigger(page, n);
		hr_page_announce(page);
	}
	tally_for(ctl, &tally, LATER_MS);
	ck_assert_uint_eq(times_told(&tally, PLAYBACK, "State"), 1);
	ck_assert_uint_eq(times_told(&tally, PLAYBACK, "Trigger"), 1);
	ck_assert_uint_eq(n_told(&tally), 2);
	ck_assert_int_eq(read_playback(ctl, "State"), HR_STATE_RUNNING);
	ck_assert_int_eq(read_playback(ctl, "Trigger"), 87);
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

START_TEST(what_changed_back_before_it_is_read_is_not_told)
{
	struct hr_page *page = open_page(HR_PLAYBACK, hr_now_ns());
	snd_ctl_t *ctl = open_subscribed();
	struct tally tally = { 0 };

	change_state(page, 0);
	hr_page_announce(page);
	ck_assert(is_readable(ctl, AT_LAST_MS));
	hr_page_set(page, HR_STAT_STATE, HR_STATE_OPEN);
	hr_page_announce(page);
	tally_for(ctl, &tally, LATER_MS);
	ck_assert_uint_eq(n_told(&tally), 0);
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

START_TEST(what_changes_again_after_it_was_read_is_told_again)
{
	struct hr_page *page = open_page(HR_PLAYBACK, hr_now_ns());
	snd_ctl_t *ctl = open_subscribed();
	struct tally tally = { 0 };
	struct event event;

	change_state(page, 0);
	change_trigger(page, 0);
	hr_page_announce(page);
	ck_assert(next_event(ctl, &event, AT_LAST_MS));
	/* One is still to be read; both change. */
	change_state(page, 1);
	change_trigger(page, 1);
	hr_page_announce(page);
	tally_for(ctl, &tally, LATER_MS);
	if (is_event(&event, PLAYBACK, "State"))
		ck_assert_uint_eq(times_told(&tally, PLAYBACK, "State"), 1);
	else
		ck_assert_uint_eq(times_told(&tally, PLAYBACK, "Trigger"), 1);
	ck_assert_uint_ge(n_told(&tally), 2);
	ck_assert_uint_le(n_told(&tally), 3);
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

START_TEST(each_handle_is_told_for_itself)
{
	struct hr_page *page = open_page(HR_PLAYBACK, hr_now_ns());
	snd_ctl_t *ctls[3] = { open_subscribed(), open_subscribed(), open_subscribed() };
	struct tally tally[4] = { 0 };
	snd_ctl_t *other;

	ck_assert_int_eq(try_open(&other, "x", "name other"), 0);
	ck_assert_int_eq(snd_ctl_subscribe_events(other, 1), 0);
	change_state(page, 0);
	change_clear(page, 0);
	hr_page_announce(page);
	/* One has read all before the next begins. */
	for (size_t i = 0; i < N_ITEMS(ctls); i++) {
		tally_for(ctls[i], &tally[i], 200);
		ck_assert_uint_eq(times_told(&tally[i], PLAYBACK, "State"), 1);
		ck_assert_uint_eq(times_told(&tally[i], PLAYBACK, "Clear"), 1);
		ck_assert_uint_eq(n_told(&tally[i]), 2);
	}
	/* The streams of another name are not theirs. */
	tally_for(other, &tally[3], 200);
	ck_assert_uint_eq(n_told(&tally[3]), 0);
	/* Who is gone does not take the others along. */
	snd_ctl_close(ctls[0]);
	change_state(page, 1);
	hr_page_announce(page);
	await(ctls[1], PLAYBACK, "State");
	await(ctls[2], PLAYBACK, "State");
	snd_ctl_close(ctls[1]);
	snd_ctl_close(ctls[2]);
	snd_ctl_close(other);
	hr_page_close(page, hr_now_ns());
}
END_TEST

/* --- settings --- */

static void set_in_another_process(long trigger)
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		CHILD_ASSERT(write_playback(open_ctl(), "Trigger", trigger) == 1);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

/* _i: set by the same handle, by another one, or in another process; of a stream
 * that lives, or none. */
START_TEST(a_setting_is_told_at_once)
{
	struct hr_page *page = _i < 3 ? open_page(HR_PLAYBACK, hr_now_ns()) : NULL;
	snd_ctl_t *ctl = open_subscribed(), *other = open_ctl();
	uint64_t best_ns = UINT64_MAX;

	for (unsigned int n = 0; n < TRIES; n++) {
		struct tally tally = { 0 };
		uint64_t ns;

		if (_i % 3 == 2)
			set_in_another_process(91 + (n + 1) % 9);
		else
			ck_assert_int_eq(write_playback(_i % 3 ? other : ctl, "Trigger",
							91 + (n + 1) % 9), 1);
		ns = tally_until(ctl, &tally, PLAYBACK, "Trigger");
		if (ns < best_ns)
			best_ns = ns;
		ck_assert_uint_eq(n_told(&tally), 1);
	}
	ck_assert_uint_lt(best_ns, AT_ONCE_NS);
	snd_ctl_close(other);
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

/* _i: of a stream that lives, or has ended. */
START_TEST(a_reset_by_another_handle_is_told)
{
	static const char *const zeroed[] = {
		"Healthy", "Xruns", "Frames", "Chunks Pushed", "Latency Max",
		"Drop Rate", "Pool Hits", "Fill Max", "Xrun Cause",
	};
	struct hr_page *page = open_busy_page(HR_PLAYBACK);
	snd_ctl_t *ctl, *other = open_ctl();
	struct tally tally = { 0 };

	if (_i)
		hr_page_close(page, hr_now_ns());
	ctl = open_subscribed();
	ck_assert_int_eq(write_playback(other, "Reset", 1), 1);
	tally_until(ctl, &tally, PLAYBACK, "Xruns");
	tally_until(ctl, &tally, PLAYBACK, "Pool Misses");
	tally_for(ctl, &tally, 100);
	for (size_t i = 0; i < N_ITEMS(zeroed); i++)
		ck_assert_msg(times_told(&tally, PLAYBACK, zeroed[i]) == 1,
			      "%s: %u events", zeroed[i],
			      times_told(&tally, PLAYBACK, zeroed[i]));
	ck_assert_uint_eq(times_told(&tally, PLAYBACK, "Trigger"), 0);
	ck_assert_uint_eq(times_told(&tally, PLAYBACK, "State"), 0);
	ck_assert_uint_eq(times_told(&tally, PLAYBACK, "Reset"), 0);
	snd_ctl_close(other);
	snd_ctl_close(ctl);
	if (!_i)
		hr_page_close(page, hr_now_ns());
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ctl_events");
	TCase *tcase;

	tcase = add_case(suite, "changes");
	tcase_add_loop_test(tcase, an_urgent_change_is_told_by_exactly_one_event,
			    0, N_URGENT);
	tcase_add_loop_test(tcase, an_urgent_change_is_told_at_once, 0, N_URGENT);
	tcase_add_test(tcase, what_is_read_after_an_event_is_new);
	tcase_add_test(tcase, a_counter_that_is_read_after_its_event_is_new);
	tcase_add_loop_test(tcase, what_was_there_before_is_not_told, 0, 3);
	tcase_add_test(tcase, an_announcement_of_nothing_is_not_told);
	tcase_add_test(tcase, whatever_changed_is_told_and_nothing_else);
	tcase_add_test(tcase, what_changes_often_before_it_is_read_is_told_once);
	tcase_add_test(tcase, what_changed_back_before_it_is_read_is_not_told);
	tcase_add_test(tcase, what_changes_again_after_it_was_read_is_told_again);
	tcase_add_test(tcase, each_handle_is_told_for_itself);

	tcase = add_case(suite, "settings");
	tcase_add_loop_test(tcase, a_setting_is_told_at_once, 0, 6);
	tcase_add_loop_test(tcase, a_reset_by_another_handle_is_told, 0, 2);
	return run_suite(suite);
}
