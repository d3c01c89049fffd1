/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The control device in the main loops of programs: how often they are woken, what
 * that costs, and that all sorts of loops get all events.
 */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include "core/clock.h"
#include "tests/event_fixture.h"

#define WATCH_MS 2000
/* In 3 s, told or woken twice a second, and the first time at once. */
#define BUSY_MS 3000
#define BUSY_TIMES 7

static uint64_t cpu_us(void)
{
	struct rusage usage;

	ck_assert_int_eq(getrusage(RUSAGE_THREAD, &usage), 0);
	return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
	       (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* --- wake-ups --- */

/* Times that the handle wakes a program that reads until there is no more. */
static unsigned int count_wakes(snd_ctl_t *ctl, int ms)
{
	uint64_t until_ns = hr_now_ns() + (uint64_t)ms * HR_NS_PER_MS;
	unsigned int n = 0;
	struct event event;

	for (uint64_t now_ns; (now_ns = hr_now_ns()) < until_ns;) {
		if (!is_readable(ctl, (int)((until_ns - now_ns) / HR_NS_PER_MS) + 1))
			continue;
		n++;
		while (read_event(ctl, &event))
			;
	}
	return n;
}

/* _i: nothing ever ran, or a stream has ended. */
START_TEST(while_nothing_lives_nobody_is_woken)
{
	snd_ctl_t *ctl;
	uint64_t before_us;

	if (_i)
		hr_page_close(open_busy_page(HR_PLAYBACK), hr_now_ns());
	ctl = open_subscribed();
	before_us = cpu_us();
	ck_assert_uint_eq(count_wakes(ctl, _i ? WATCH_MS : WATCH_MS / 2), 0);
	ck_assert_uint_lt(cpu_us() - before_us, 10000);
	snd_ctl_close(ctl);
}
END_TEST

START_TEST(while_nothing_changes_hardly_anybody_is_woken)
{
	struct hr_page *page = open_busy_page(HR_PLAYBACK);
	snd_ctl_t *ctl = open_subscribed();
	uint64_t before_us = cpu_us();

	ck_assert_uint_le(count_wakes(ctl, WATCH_MS / 2), 3);
	ck_assert_uint_lt(cpu_us() - before_us, 10000);
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

/* What any program does with a control. */
static void use_handle(void)
{
	snd_ctl_t *ctl = open_ctl();
	snd_ctl_elem_list_t *list;

	snd_ctl_elem_list_alloca(&list);
	ck_assert_int_eq(snd_ctl_elem_list(ctl, list), 0);
	for (size_t i = 0; i < N_EXPECTED; i += 8)
		read_playback(ctl, expected[i].suffix);
	ck_assert_int_eq(snd_ctl_subscribe_events(ctl, 1), 0);
	snd_ctl_close(ctl);
}

START_TEST(who_looks_wakes_nobody)
{
	snd_ctl_t *ctl;

	hr_page_close(open_busy_page(HR_PLAYBACK), hr_now_ns());
	ctl = open_subscribed();
	count_wakes(ctl, LATER_MS);
	for (int i = 0; i < 100; i++)
		use_handle();
	ck_assert_uint_eq(count_wakes(ctl, 100), 0);
	snd_ctl_close(ctl);
}
END_TEST

/* Two handles that are awake, one that is opened and used all the time. */
START_TEST(counters_are_told_at_most_twice_a_second)
{
	static const char *const changing[] = {
		"Frames", "Chunks Pushed", "Pool Hits", "Latency Avg", "Latency Max",
	};
	struct hr_page *page = open_page(HR_PLAYBACK, hr_now_ns());
	snd_ctl_t *ctls[2] = { open_subscribed(), open_subscribed() };
	uint64_t begun_ns = hr_now_ns(), until_ns = begun_ns + BUSY_MS * HR_NS_PER_MS;
	struct tally tally[2] = { 0 };
	unsigned int n_wakes[2] = { 0 };
	struct pollfd fds[2];
	struct event event;

	for (size_t i = 0; i < 2; i++)
		fds[i] = (struct pollfd) { .fd = fd_of(ctls[i]), .events = POLLIN };
	for (uint64_t now_ns; (now_ns = hr_now_ns()) < until_ns;) {
		hr_page_add(page, HR_STAT_FRAMES, 480);
		hr_page_add(page, HR_STAT_PUSHED, 1);
		hr_page_add(page, HR_STAT_POOL_HITS, 1);
		hr_health_chunk(hr_page_health(page), 480, now_ns - begun_ns, now_ns);
		use_handle();
		if (poll(fds, 2, 10) <= 0)
			continue;
		for (size_t i = 0; i < 2; i++) {
			n_wakes[i] += fds[i].revents != 0;
			while (fds[i].revents && read_event(ctls[i], &event))
				tally[i].told[event.source][event.element]++;
		}
	}
	for (size_t i = 0; i < 2; i++) {
		ck_assert_uint_le(n_wakes[i], BUSY_TIMES);
		for (size_t k = 0; k < N_ITEMS(changing); k++) {
			unsigned int n = times_told(&tally[i], PLAYBACK, changing[k]);

			ck_assert_msg(n >= 2 && n <= BUSY_TIMES, "%s: %u events",
				      changing[k], n);
		}
		snd_ctl_close(ctls[i]);
	}
	hr_page_close(page, hr_now_ns());
}
END_TEST

/* --- loops --- */

/* Each waits, reads as its kind of program does, and is at the end when it is no
 * longer woken. */

static void loop_poll(snd_ctl_t *ctl, struct tally *tally)
{
	tally_for(ctl, tally, LATER_MS + 200);
}

static void count(struct tally *tally, const struct event *event)
{
	unsigned int *times = event->is_new ? tally->added[event->source] :
					      tally->told[event->source];

	times[event->element]++;
}

static void loop_poll_all(snd_ctl_t *ctl, struct tally *tally)
{
	struct event event;

	while (is_readable(ctl, LATER_MS)) {
		while (read_event(ctl, &event))
			count(tally, &event);
	}
}

static void loop_epoll(snd_ctl_t *ctl, struct tally *tally, bool all)
{
	struct epoll_event wanted = { .events = EPOLLIN }, found;
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	struct event event;

	ck_assert_int_ge(epoll_fd, 0);
	ck_assert_int_eq(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd_of(ctl), &wanted), 0);
	while (epoll_wait(epoll_fd, &found, 1, LATER_MS) == 1) {
		while (read_event(ctl, &event)) {
			count(tally, &event);
			if (!all)
				break;
		}
	}
	close(epoll_fd);
}

/* Asks again and again and never waits. */
static void loop_without_waiting(snd_ctl_t *ctl, struct tally *tally)
{
	uint64_t until_ns = hr_now_ns() + (LATER_MS + 200) * HR_NS_PER_MS;
	struct event event;

	while (hr_now_ns() < until_ns) {
		if (read_event(ctl, &event))
			count(tally, &event);
		else
			poll(NULL, 0, 1);
	}
}

START_TEST(every_kind_of_loop_gets_all_events)
{
	struct hr_page *first, *second;
	snd_ctl_t *ctl = open_subscribed();
	struct tally tally = { 0 };

	first = open_busy_page(HR_PLAYBACK);
	second = open_busy_page(HR_PLAYBACK);
	hr_page_announce(first);
	hr_page_announce(second);
	hr_page_close(second, hr_now_ns());
	hr_page_close(first, hr_now_ns());
	switch (_i) {
	case 0:
		loop_poll(ctl, &tally);
		break;
	case 1:
		loop_poll_all(ctl, &tally);
		break;
	case 2:
	case 3:
		loop_epoll(ctl, &tally, _i == 3);
		break;
	case 4:
		loop_without_waiting(ctl, &tally);
		break;
	}
	for (size_t i = 0; i < N_EXPECTED; i++) {
		bool has_changed = read_playback(ctl, expected[i].suffix) !=
				   expected[i].at_rest;

		ck_assert_uint_eq(tally.added[PLAYBACK_1][i], 1);
		ck_assert_msg(tally.told[PLAYBACK][i] == has_changed, "%s: %u events",
			      expected[i].suffix, tally.told[PLAYBACK][i]);
		ck_assert_uint_eq(tally.told[CAPTURE][i], 0);
	}
	ck_assert(!is_readable(ctl, 100));
	snd_ctl_close(ctl);
}
END_TEST

static unsigned int n_hctl_added, n_hctl_values;

static int count_value(snd_hctl_elem_t *elem, unsigned int mask)
{
	(void)elem;
	/* When all is closed they are removed. */
	if (mask == SND_CTL_EVENT_MASK_REMOVE)
		return 0;
	ck_assert_uint_eq(mask, SND_CTL_EVENT_MASK_VALUE);
	n_hctl_values++;
	return 0;
}

static int count_added(snd_hctl_t *hctl, unsigned int mask, snd_hctl_elem_t *elem)
{
	(void)hctl;
	ck_assert_uint_eq(mask, SND_CTL_EVENT_MASK_ADD);
	n_hctl_added++;
	snd_hctl_elem_set_callback(elem, count_value);
	return 0;
}

static int64_t hctl_read(snd_hctl_t *hctl, unsigned int slot, const char *suffix)
{
	snd_ctl_elem_value_t *value;
	snd_hctl_elem_t *elem;
	snd_ctl_elem_id_t *id;

	snd_ctl_elem_value_alloca(&value);
	snd_ctl_elem_id_alloca(&id);
	set_id(id, HR_PLAYBACK, slot, suffix);
	elem = snd_hctl_find_elem(hctl, id);
	ck_assert_ptr_nonnull(elem);
	ck_assert_int_eq(snd_hctl_elem_read(elem, value), 0);
	return snd_ctl_elem_value_get_integer64(value, 0);
}

START_TEST(the_hctl_loop_learns_of_new_slots)
{
	struct hr_page *first = open_page(HR_PLAYBACK, hr_now_ns()), *second;
	snd_hctl_t *hctl;

	ck_assert_int_eq(snd_hctl_open_ctl(&hctl, open_ctl()), 0);
	snd_hctl_set_callback(hctl, count_added);
	ck_assert_int_eq(snd_hctl_load(hctl), 0);
	ck_assert_uint_eq(n_hctl_added, 2 * N_EXPECTED);

	second = open_page(HR_PLAYBACK, hr_now_ns());
	hr_page_set(second, HR_STAT_FRAMES, 22);
	hr_page_announce(second);
	while (n_hctl_added < 3 * N_EXPECTED) {
		ck_assert_int_eq(snd_hctl_wait(hctl, AT_LAST_MS), 1);
		ck_assert_int_ge(snd_hctl_handle_events(hctl), 0);
	}
	ck_assert_uint_eq(snd_hctl_get_count(hctl), 3 * N_EXPECTED);
	ck_assert_int_eq(hctl_read(hctl, 1, "Frames"), 22);

	n_hctl_values = 0;
	hr_page_set(second, HR_STAT_STATE, HR_STATE_RUNNING);
	hr_page_announce(second);
	while (n_hctl_values < 1) {
		ck_assert_int_eq(snd_hctl_wait(hctl, AT_LAST_MS), 1);
		ck_assert_int_ge(snd_hctl_handle_events(hctl), 0);
	}
	ck_assert_uint_eq(n_hctl_added, 3 * N_EXPECTED);
	snd_hctl_set_callback(hctl, NULL);
	snd_hctl_close(hctl);
	hr_page_close(second, hr_now_ns());
	hr_page_close(first, hr_now_ns());
}
END_TEST

START_TEST(the_simple_mixers_loop_stays_calm)
{
	struct hr_page *first = open_page(HR_PLAYBACK, hr_now_ns()), *second;
	snd_hctl_t *hctl;
	snd_mixer_t *mixer;

	ck_assert_int_eq(snd_hctl_open_ctl(&hctl, open_ctl()), 0);
	ck_assert_int_eq(snd_mixer_open(&mixer, 0), 0);
	ck_assert_int_eq(snd_mixer_attach_hctl(mixer, hctl), 0);
	ck_assert_int_eq(snd_mixer_selem_register(mixer, NULL, NULL), 0);
	ck_assert_int_eq(snd_mixer_load(mixer), 0);

	second = open_busy_page(HR_PLAYBACK);
	hr_page_announce(second);
	while (snd_hctl_get_count(hctl) < 3 * N_EXPECTED) {
		ck_assert_int_ge(snd_mixer_wait(mixer, AT_LAST_MS), 0);
		ck_assert_int_ge(snd_mixer_handle_events(mixer), 0);
	}
	hr_page_close(second, hr_now_ns());
	hr_page_close(first, hr_now_ns());
	/* Until all is told; then nothing comes. */
	for (uint64_t until_ns = hr_now_ns() + LATER_MS * HR_NS_PER_MS;
	     hr_now_ns() < until_ns;) {
		ck_assert_int_ge(snd_mixer_wait(mixer, 100), 0);
		ck_assert_int_ge(snd_mixer_handle_events(mixer), 0);
	}
	ck_assert(!is_readable(snd_hctl_ctl(hctl), LATER_MS));
	ck_assert_uint_eq(snd_mixer_get_count(mixer), 0);
	snd_mixer_close(mixer);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ctl_loops");
	TCase *tcase;

	tcase = add_case(suite, "wake-ups");
	tcase_add_loop_test(tcase, while_nothing_lives_nobody_is_woken, 0, 2);
	tcase_add_test(tcase, while_nothing_changes_hardly_anybody_is_woken);
	tcase_add_test(tcase, who_looks_wakes_nobody);
	tcase_add_test(tcase, counters_are_told_at_most_twice_a_second);

	tcase = add_case(suite, "loops");
	tcase_add_loop_test(tcase, every_kind_of_loop_gets_all_events, 0, 5);
	tcase_add_test(tcase, the_hctl_loop_learns_of_new_slots);
	tcase_add_test(tcase, the_simple_mixers_loop_stays_calm);
	return run_suite(suite);
}
