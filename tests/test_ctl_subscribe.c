/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Subscribing to the control device's events: where it begins and ends, and that it
 * leaves nothing behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "core/clock.h"
#include "tests/event_fixture.h"

#define A_USER 54332		/* who has nothing else running */

static void set_state(struct hr_page *page, enum hr_state state)
{
	hr_page_set(page, HR_STAT_STATE, state);
}

START_TEST(without_a_subscription_nothing_is_told)
{
	struct hr_page *page = open_page(HR_PLAYBACK, hr_now_ns());
	snd_ctl_t *ctl = open_ctl();
	struct event event;

	set_state(page, HR_STATE_RUNNING);
	hr_page_announce(page);
	ck_assert(!is_readable(ctl, LATER_MS));
	ck_assert(!read_event(ctl, &event));
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

START_TEST(who_unsubscribes_is_told_no_more)
{
	struct hr_page *page = open_page(HR_PLAYBACK, hr_now_ns());
	snd_ctl_t *ctl = open_subscribed();
	struct event event;

	/* One has been read, one is to be read, one is to be found. */
	set_state(page, HR_STATE_RUNNING);
	ck_assert_int_eq(hr_page_set_trigger(page, 81), 1);
	hr_page_announce(page);
	ck_assert(next_event(ctl, &event, AT_LAST_MS));
	ck_assert_int_eq(hr_page_set_clear(page, 59), 1);
	hr_page_announce(page);
	ck_assert_int_eq(snd_ctl_subscribe_events(ctl, -1), 1);
	ck_assert_int_eq(snd_ctl_subscribe_events(ctl, 0), 0);
	ck_assert_int_eq(snd_ctl_subscribe_events(ctl, -1), 0);
	ck_assert(!is_readable(ctl, 0));
	ck_assert(!read_event(ctl, &event));
	set_state(page, HR_STATE_PAUSED);
	hr_page_set(page, HR_STAT_FRAMES, 1000);
	hr_page_announce(page);
	ck_assert(!is_readable(ctl, LATER_MS));
	ck_assert(!read_event(ctl, &event));
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

START_TEST(who_subscribes_again_begins_anew)
{
	struct hr_page *page = open_page(HR_PLAYBACK, hr_now_ns());
	snd_ctl_t *ctl = open_subscribed();
	struct tally tally = { 0 };
	struct event event;

	set_state(page, HR_STATE_RUNNING);
	ck_assert_int_eq(hr_page_set_trigger(page, 81), 1);
	hr_page_announce(page);
	ck_assert(next_event(ctl, &event, AT_LAST_MS));
	ck_assert_int_eq(snd_ctl_subscribe_events(ctl, 0), 0);
	ck_assert_int_eq(hr_page_set_clear(page, 59), 1);
	hr_page_set(page, HR_STAT_FRAMES, 1000);
	hr_page_announce(page);
	ck_assert_int_eq(snd_ctl_subscribe_events(ctl, 1), 0);
	tally_for(ctl, &tally, LATER_MS);
	ck_assert_uint_eq(n_told(&tally), 0);
	set_state(page, HR_STATE_PAUSED);
	hr_page_announce(page);
	tally_for(ctl, &tally, LATER_MS);
	ck_assert_uint_eq(times_told(&tally, PLAYBACK, "State"), 1);
	ck_assert_uint_eq(n_told(&tally), 1);
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

/* A child that was forked has the descriptors of the first subscription still. */
START_TEST(a_child_keeps_no_old_subscription_alive)
{
	struct hr_page *page = open_page(HR_PLAYBACK, hr_now_ns());
	snd_ctl_t *ctl = open_subscribed();
	struct event event;
	int life[2];
	pid_t child;
	char byte;

	ck_assert_int_eq(pipe(life), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		close(life[1]);
		_exit(read(life[0], &byte, 1) != 0);
	}
	ck_assert_int_eq(snd_ctl_subscribe_events(ctl, 0), 0);
	hr_page_announce(page);
	ck_assert(!is_readable(ctl, LATER_MS));
	ck_assert_int_eq(snd_ctl_subscribe_events(ctl, 1), 0);
	hr_page_set(page, HR_STAT_STATE, HR_STATE_RUNNING);
	hr_page_announce(page);
	ck_assert(next_event(ctl, &event, AT_LAST_MS));
	ck_assert(is_event(&event, PLAYBACK, "State"));
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
	close(life[1]);
	close(life[0]);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
}
END_TEST

START_TEST(to_subscribe_twice_loses_nothing)
{
	struct hr_page *page = open_page(HR_PLAYBACK, hr_now_ns());
	snd_ctl_t *ctl = open_subscribed();
	struct tally tally = { 0 };
	struct event event;

	set_state(page, HR_STATE_RUNNING);
	ck_assert_int_eq(hr_page_set_trigger(page, 81), 1);
	hr_page_announce(page);
	ck_assert(next_event(ctl, &event, AT_LAST_MS));
	ck_assert_int_eq(snd_ctl_subscribe_events(ctl, 1), 0);
	tally_for(ctl, &tally, LATER_MS);
	ck_assert_uint_eq(n_told(&tally), 1);
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

/* --- what subscriptions cost --- */

/* The kernel takes its time to end an inotify: several processes at the same time. */
#define N_SUBSCRIBERS 5
#define N_SUBSCRIPTIONS 200

static void subscribe_often(void)
{
	struct hr_page *page = open_busy_page(HR_PLAYBACK);
	snd_ctl_t *ctl = open_subscribed();
	unsigned int n_fds;
	bool close_on_exec;
	size_t n_bytes;

	snd_ctl_close(ctl);
	n_fds = count_fds(&close_on_exec);
	n_bytes = count_address_space();
	for (int i = 0; i < N_SUBSCRIPTIONS; i++) {
		struct event event;

		ctl = open_subscribed();
		hr_page_set(page, HR_STAT_STATE, (uint64_t)(1 + i % 2));
		hr_page_announce(page);
		read_event(ctl, &event);
		if (i % 3)
			CHILD_ASSERT(snd_ctl_subscribe_events(ctl, 0) == 0);
		if (i % 3 == 2)
			CHILD_ASSERT(snd_ctl_subscribe_events(ctl, 1) == 0);
		snd_ctl_close(ctl);
	}
	CHILD_ASSERT(count_fds(&close_on_exec) == n_fds);
	CHILD_ASSERT(count_address_space() < n_bytes + N_SUBSCRIPTIONS * LEAKED_BYTES);
	hr_page_close(page, hr_now_ns());
}

START_TEST(a_thousand_subscriptions_leave_nothing_behind)
{
	pid_t pids[N_SUBSCRIBERS];
	int status;

	for (int i = 0; i < N_SUBSCRIBERS; i++) {
		char name[] = { (char)('a' + i), '\0' };

		ck_assert_int_eq(setenv("HEADROOM_DIR", in_directory(name), 1), 0);
		pids[i] = fork();
		ck_assert_int_ge(pids[i], 0);
		if (pids[i] == 0) {
			subscribe_often();
			_exit(0);
		}
	}
	for (int i = 0; i < N_SUBSCRIBERS; i++) {
		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert_int_eq(status, 0);
	}
}
END_TEST

START_TEST(no_descriptor_of_a_subscription_is_inherited)
{
	struct hr_page *page = open_page(HR_PLAYBACK, hr_now_ns());
	bool before, after;
	snd_ctl_t *ctl;

	for (int fd = 3; fd < 1024; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);	/* those of the test itself */
	count_fds(&before);
	ctl = open_subscribed();
	hr_page_set(page, HR_STAT_STATE, HR_STATE_RUNNING);
	hr_page_announce(page);
	await(ctl, PLAYBACK, "State");
	count_fds(&after);
	ck_assert(before);
	ck_assert(after);
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

/* With so many more descriptors it can be opened, subscribed, watch. */
START_TEST(without_descriptors_it_fails_or_works_but_leaks_none)
{
	struct hr_page *page = open_page(HR_PLAYBACK, hr_now_ns());
	unsigned int n_fds, n_opened = 0, n_told = 0;
	struct rlimit limit, low;
	bool close_on_exec;
	snd_ctl_t *ctl = open_subscribed();

	snd_ctl_close(ctl);
	n_fds = count_fds(&close_on_exec);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	for (rlim_t more = 0; more < 10; more++) {
		struct event event;

		low = (struct rlimit) { 3 + n_fds + more, limit.rlim_max };
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
		ctl = NULL;
		if (try_open(&ctl, "x", "") < 0)
			continue;
		n_opened++;
		ck_assert_int_eq(snd_ctl_subscribe_events(ctl, 1), 0);
		hr_page_set(page, HR_STAT_STATE, 1 + (uint64_t)(more % 2));
		hr_page_announce(page);
		n_told += next_event(ctl, &event, LATER_MS);
		snd_ctl_close(ctl);
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
		ck_assert_uint_eq(count_fds(&close_on_exec), n_fds);
	}
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_uint_eq(count_fds(&close_on_exec), n_fds);
	ck_assert_uint_ge(n_opened, 3);
	ck_assert_uint_ge(n_told, 1);
	hr_page_close(page, hr_now_ns());
}
END_TEST

/* As somebody who has no inotify left. */
static void subscribe_without_inotify(void)
{
	struct hr_page *page = open_page(HR_PLAYBACK, hr_now_ns());
	struct event event;
	snd_ctl_t *ctl;

	while (inotify_init1(IN_CLOEXEC) >= 0)
		;
	CHILD_ASSERT(errno == EMFILE);
	ctl = open_ctl();
	CHILD_ASSERT(snd_ctl_subscribe_events(ctl, 1) == 0);
	hr_page_set(page, HR_STAT_STATE, HR_STATE_RUNNING);
	CHILD_ASSERT(next_event(ctl, &event, AT_LAST_MS));
	CHILD_ASSERT(is_event(&event, PLAYBACK, "State"));
	CHILD_ASSERT(read_playback(ctl, "State") == HR_STATE_RUNNING);
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}

START_TEST(without_inotify_all_is_told_later)
{
	snd_ctl_close(open_ctl());
	ck_assert_int_eq(chmod(directory, 0755), 0);
	ck_assert_int_eq(mkdir(in_directory("own"), 0700), 0);
	ck_assert_int_eq(chown(in_directory("own"), A_USER, A_USER), 0);
	ck_assert_int_eq(setenv("HEADROOM_DIR", in_directory("own"), 1), 0);
	as_user(A_USER, subscribe_without_inotify);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ctl_subscribe");
	TCase *tcase;

	tcase = add_case(suite, "begin and end");
	tcase_add_test(tcase, without_a_subscription_nothing_is_told);
	tcase_add_test(tcase, who_unsubscribes_is_told_no_more);
	tcase_add_test(tcase, who_subscribes_again_begins_anew);
	tcase_add_test(tcase, a_child_keeps_no_old_subscription_alive);
	tcase_add_test(tcase, to_subscribe_twice_loses_nothing);

	tcase = add_case(suite, "costs");
	tcase_add_test(tcase, a_thousand_subscriptions_leave_nothing_behind);
	tcase_add_test(tcase, no_descriptor_of_a_subscription_is_inherited);
	tcase_add_test(tcase, without_descriptors_it_fails_or_works_but_leaks_none);
	if (geteuid() == 0)
		tcase_add_test(tcase, without_inotify_all_is_told_later);
	return run_suite(suite);
}
