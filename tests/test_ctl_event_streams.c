/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What the control device's events tell of streams that come and go.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "core/clock.h"
#include "tests/event_fixture.h"

#define TRIES 10		/* of which the best must be in time */

static void keep_best(uint64_t *best_ns, uint64_t ns)
{
	if (ns < *best_ns)
		*best_ns = ns;
}

static void announce_state(struct hr_page *page, enum hr_state state)
{
	hr_page_set(page, HR_STAT_STATE, state);
	hr_page_announce(page);
}

/* Nothing is told, and nobody is woken, when all that was to be told has been. */
static void check_silence(snd_ctl_t *ctl)
{
	struct tally tally = { 0 };

	tally_for(ctl, &tally, LATER_MS);
	ck_assert(!is_readable(ctl, LATER_MS));
}

/* --- the first of a slot that is always there --- */

START_TEST(a_stream_that_starts_is_told_at_once)
{
	uint64_t best_ns = UINT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		snd_ctl_t *ctl = open_subscribed();
		struct tally tally = { 0 };
		struct hr_page *page = open_page(HR_PLAYBACK, hr_now_ns());

		hr_page_announce(page);
		keep_best(&best_ns, tally_until(ctl, &tally, PLAYBACK, "Clear"));
		ck_assert_uint_eq(times_told(&tally, PLAYBACK, "State"), 1);
		ck_assert_uint_eq(times_told(&tally, PLAYBACK, "Trigger"), 1);
		ck_assert_uint_eq(n_added(&tally), 0);
		ck_assert_int_eq(read_playback(ctl, "State"), HR_STATE_OPEN);
		snd_ctl_close(ctl);
		hr_page_close(page, hr_now_ns());
		ck_assert_int_eq(unlink(in_directory("x.playback.0")), 0);
	}
	ck_assert_uint_lt(best_ns, 100 * HR_NS_PER_MS);
}
END_TEST

/* Not even that is needed. _i: the slot was used before. */
START_TEST(a_stream_that_does_not_announce_itself_is_told)
{
	struct tally tally = { 0 };
	struct hr_page *page;
	snd_ctl_t *ctl;

	if (_i)
		hr_page_close(open_page(HR_PLAYBACK, hr_now_ns()), hr_now_ns());
	ctl = open_subscribed();
	page = open_page(HR_PLAYBACK, hr_now_ns());
	/* Where the page is there already, only an announcement shows. */
	if (_i)
		hr_page_announce(page);
	tally_until(ctl, &tally, PLAYBACK, "State");
	tally_until(ctl, &tally, PLAYBACK, "Process");
	ck_assert_uint_eq(times_told(&tally, PLAYBACK, "State"), 1);
	ck_assert_uint_eq(times_told(&tally, PLAYBACK, "Trigger"), !_i);
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

/* As it may be seen while it is being made, by a process that is slow. */
START_TEST(a_page_that_is_finished_later_is_told_soon)
{
	static char bytes[1 << 20];
	uint64_t best_ns = UINT64_MAX;
	size_t n_bytes;
	FILE *file;

	hr_page_close(open_page(HR_PLAYBACK, hr_now_ns()), hr_now_ns());
	file = fopen(in_directory("x.playback.0"), "re");
	ck_assert_ptr_nonnull(file);
	n_bytes = fread(bytes, 1, sizeof(bytes), file);
	ck_assert_uint_lt(n_bytes, sizeof(bytes));
	ck_assert_int_eq(fclose(file), 0);
	for (int i = 0; i < TRIES; i++) {
		struct event event;
		snd_ctl_t *ctl;
		int fd;

		ck_assert_int_eq(unlink(in_directory("x.playback.0")), 0);
		ctl = open_subscribed();
		fd = open(in_directory("x.playback.0"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		ck_assert_int_ge(fd, 0);
		ck_assert(is_readable(ctl, AT_LAST_MS));
		ck_assert(!read_event(ctl, &event));
		ck_assert_int_eq(write(fd, bytes, n_bytes), n_bytes);
		keep_best(&best_ns, await(ctl, PLAYBACK, "Clear"));
		close(fd);
		snd_ctl_close(ctl);
	}
	ck_assert_uint_lt(best_ns, 200 * HR_NS_PER_MS);
}
END_TEST

/* And once there is a directory, it is watched as any. */
static void check_is_watched(snd_ctl_t *ctl, struct hr_page *page)
{
	uint64_t best_ns = UINT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		announce_state(page, i % 2 ? HR_STATE_PAUSED : HR_STATE_RUNNING);
		keep_best(&best_ns, await(ctl, PLAYBACK, "State"));
	}
	ck_assert_uint_lt(best_ns, 100 * HR_NS_PER_MS);
}

/* _i: it was never there, or it is removed first. */
START_TEST(a_directory_may_come_later)
{
	uint64_t best_ns = UINT64_MAX;

	for (int i = 0; i < TRIES && best_ns >= HR_NS_PER_S; i++) {
		char name[] = { (char)('a' + i), '\0' };
		struct hr_page *page;
		snd_ctl_t *ctl;

		ck_assert_int_eq(setenv("HEADROOM_DIR", in_directory(name), 1), 0);
		if (_i)
			ck_assert_int_eq(mkdir(getenv("HEADROOM_DIR"), 0700), 0);
		ctl = open_subscribed();
		ck_assert_int_eq(is_readable(ctl, 20), 0);
		if (_i) {
			struct event event;

			ck_assert_int_eq(rmdir(getenv("HEADROOM_DIR")), 0);
			ck_assert(!next_event(ctl, &event, 100));
		}
		page = open_page(HR_PLAYBACK, hr_now_ns());
		hr_page_announce(page);
		keep_best(&best_ns, await(ctl, PLAYBACK, "State"));
		check_is_watched(ctl, page);
		snd_ctl_close(ctl);
		hr_page_close(page, hr_now_ns());
	}
	ck_assert_uint_lt(best_ns, HR_NS_PER_S);
}
END_TEST

/* As somebody does who tidies up. _i: a stream had ended in it. */
START_TEST(a_directory_may_be_moved_away)
{
	struct hr_page *page;
	char moved[128];
	snd_ctl_t *ctl;

	ck_assert_int_eq(mkdir(in_directory("a"), 0700), 0);
	ck_assert_int_eq(setenv("HEADROOM_DIR", in_directory("a"), 1), 0);
	if (_i)
		hr_page_close(open_page(HR_PLAYBACK, hr_now_ns()), hr_now_ns());
	ctl = open_subscribed();
	snprintf(moved, sizeof(moved), "%s", in_directory("moved"));
	ck_assert_int_eq(rename(in_directory("a"), moved), 0);
	page = open_page(HR_PLAYBACK, hr_now_ns());
	hr_page_announce(page);
	await(ctl, PLAYBACK, "State");
	check_is_watched(ctl, page);
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

START_TEST(a_stream_that_ends_is_told_at_once_and_then_all_is_quiet)
{
	uint64_t best_ns = UINT64_MAX;
	snd_ctl_t *ctl = NULL;

	for (int i = 0; i < TRIES; i++) {
		struct hr_page *page = open_busy_page(HR_PLAYBACK);

		if (ctl)
			snd_ctl_close(ctl);
		ctl = open_subscribed();
		hr_page_close(page, hr_now_ns());
		keep_best(&best_ns, await(ctl, PLAYBACK, "State"));
		ck_assert_int_eq(read_playback(ctl, "State"), HR_STATE_CLOSED);
	}
	ck_assert_uint_lt(best_ns, 100 * HR_NS_PER_MS);
	await(ctl, PLAYBACK, "Process");
	check_silence(ctl);
	snd_ctl_close(ctl);
}
END_TEST

START_TEST(a_stream_that_is_killed_is_told_closed)
{
	const uint64_t soon_ns = 200 * HR_NS_PER_MS;
	uint64_t best_state_ns = soon_ns, best_process_ns = soon_ns;
	snd_ctl_t *ctl = NULL;

	for (int i = 0; i < TRIES; i++) {
		pid_t pid = start_stream(false);
		struct tally tally = { 0 };
		uint64_t start_ns;

		if (ctl)
			snd_ctl_close(ctl);
		ctl = open_subscribed();
		/* Long before the next comparison, which would show it too, or shortly
		 * before, since only that shows the process. */
		tally_for(ctl, &tally, i % 2 ? 400 : 20);
		start_ns = hr_now_ns();
		kill_stream(pid);
		await(ctl, PLAYBACK, "State");
		if (i % 2 == 0)
			keep_best(&best_state_ns, hr_now_ns() - start_ns);
		await(ctl, PLAYBACK, "Process");
		keep_best(&best_process_ns, hr_now_ns() - start_ns);
		ck_assert_int_eq(read_playback(ctl, "State"), HR_STATE_CLOSED);
		ck_assert_int_eq(read_playback(ctl, "Process"), 0);
		if (best_state_ns < soon_ns && best_process_ns < soon_ns)
			break;
	}
	ck_assert_uint_lt(best_state_ns, soon_ns);
	ck_assert_uint_lt(best_process_ns, soon_ns);
	check_silence(ctl);
	snd_ctl_close(ctl);
}
END_TEST

/* _i: of a stream that lives, or has ended. */
START_TEST(a_page_that_is_removed_is_told)
{
	struct hr_page *page = open_busy_page(HR_PLAYBACK);
	struct tally tally = { 0 };
	snd_ctl_t *ctl;

	if (_i)
		hr_page_close(page, hr_now_ns());
	ctl = open_subscribed();
	ck_assert_int_eq(unlink(in_directory("x.playback.0")), 0);
	tally_until(ctl, &tally, PLAYBACK, "Clear");
	tally_until(ctl, &tally, PLAYBACK, "Frames");
	ck_assert_uint_eq(times_told(&tally, PLAYBACK, "Trigger"), 1);
	ck_assert_uint_eq(times_told(&tally, PLAYBACK, "Xruns"), 1);
	ck_assert_uint_eq(times_told(&tally, PLAYBACK, "State"), !_i);
	ck_assert_int_eq(read_playback(ctl, "Frames"), 0);
	snd_ctl_close(ctl);
	if (!_i)
		hr_page_close(page, hr_now_ns());
}
END_TEST

/* As by a program of another version. _i: in its place, or another file. */
START_TEST(a_page_that_becomes_another_versions_is_told)
{
	static const uint32_t other_version = 9999;
	struct hr_page *page = open_busy_page(HR_PLAYBACK);
	char path[128], made[128];
	snd_ctl_t *ctl;
	FILE *file;

	hr_page_close(page, hr_now_ns());
	snprintf(path, sizeof(path), "%s", in_directory("x.playback.0"));
	snprintf(made, sizeof(made), "%s", in_directory("made"));
	ctl = open_subscribed();
	file = fopen(_i ? made : path, _i ? "we" : "r+e");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fseek(file, 4, SEEK_SET), 0);
	ck_assert_uint_eq(fwrite(&other_version, 4, 1, file), 1);
	ck_assert_int_eq(fclose(file), 0);
	if (_i)
		ck_assert_int_eq(rename(made, path), 0);
	await(ctl, PLAYBACK, "Trigger");
	await(ctl, PLAYBACK, "Pool Misses");
	ck_assert_int_eq(read_playback(ctl, "Frames"), 0);

	/* And when it is ours again. */
	page = open_page(HR_PLAYBACK, hr_now_ns());
	hr_page_announce(page);
	await(ctl, PLAYBACK, "State");
	check_is_watched(ctl, page);
	hr_page_close(page, hr_now_ns());
	await(ctl, PLAYBACK, "State");
	ck_assert_int_eq(read_playback(ctl, "State"), HR_STATE_CLOSED);
	snd_ctl_close(ctl);
}
END_TEST

/* --- further slots --- */

/* An event of each element, and none of any other. */
static void check_added(const struct tally *tally, enum source source)
{
	for (size_t i = 0; i < N_EXPECTED; i++)
		ck_assert_uint_eq(tally->added[source][i], 1);
	ck_assert_uint_eq(n_added(tally), N_EXPECTED);
}

static unsigned int count_listed(snd_ctl_t *ctl)
{
	snd_ctl_elem_list_t *list;

	snd_ctl_elem_list_alloca(&list);
	ck_assert_int_eq(snd_ctl_elem_list(ctl, list), 0);
	return snd_ctl_elem_list_get_count(list);
}

START_TEST(the_elements_of_a_further_stream_are_added_and_then_told)
{
	struct hr_page *pages[2], *further[2];
	snd_ctl_t *ctl;

	for (enum hr_direction i = HR_PLAYBACK; i <= HR_CAPTURE; i++)
		pages[i] = open_page(i, hr_now_ns());
	ctl = open_subscribed();
	ck_assert_uint_eq(count_listed(ctl), 2 * N_EXPECTED);
	for (enum hr_direction i = HR_PLAYBACK; i <= HR_CAPTURE; i++) {
		enum source source = i == HR_CAPTURE ? CAPTURE_1 : PLAYBACK_1;
		struct tally added = { 0 }, told = { 0 };

		further[i] = open_page(i, hr_now_ns());
		ck_assert_uint_eq(hr_page_slot(further[i]), 1);
		hr_page_announce(further[i]);
		/* Not listed before it is told, or it would be there twice. */
		ck_assert_uint_eq(count_listed(ctl), (2 + i) * N_EXPECTED);
		tally_for(ctl, &added, 200);
		check_added(&added, source);
		ck_assert_uint_eq(n_told(&added), 0);
		ck_assert_uint_eq(count_listed(ctl), (3 + i) * N_EXPECTED);
		ck_assert_int_eq(read_slot(ctl, i, 1, "State"), HR_STATE_OPEN);

		announce_state(further[i], HR_STATE_RUNNING);
		tally_for(ctl, &told, 200);
		ck_assert_uint_eq(times_told(&told, source, "State"), 1);
		ck_assert_uint_eq(n_told(&told), 1);
		ck_assert_uint_eq(n_added(&told), 0);
		ck_assert_int_eq(read_slot(ctl, i, 1, "State"), HR_STATE_RUNNING);
	}
	snd_ctl_close(ctl);
	for (enum hr_direction i = HR_PLAYBACK; i <= HR_CAPTURE; i++) {
		hr_page_close(further[i], hr_now_ns());
		hr_page_close(pages[i], hr_now_ns());
	}
}
END_TEST

START_TEST(a_further_stream_is_added_at_once)
{
	struct hr_page *first = open_page(HR_PLAYBACK, hr_now_ns());
	uint64_t best_ns = UINT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		snd_ctl_t *ctl = open_subscribed();
		struct hr_page *second = open_page(HR_PLAYBACK, hr_now_ns());
		uint64_t start_ns = hr_now_ns();
		struct event event;

		hr_page_announce(second);
		for (size_t k = 0; k < N_EXPECTED; k++) {
			ck_assert(next_event(ctl, &event, AT_LAST_MS));
			ck_assert(event.is_new && event.source == PLAYBACK_1);
		}
		keep_best(&best_ns, hr_now_ns() - start_ns);
		snd_ctl_close(ctl);
		hr_page_close(second, hr_now_ns());
		ck_assert_int_eq(unlink(in_directory("x.playback.1")), 0);
	}
	ck_assert_uint_lt(best_ns, 100 * HR_NS_PER_MS);
	hr_page_close(first, hr_now_ns());
}
END_TEST

START_TEST(several_further_streams_are_added_together)
{
	struct hr_page *pages[4];
	snd_ctl_t *ctl = open_subscribed();
	struct tally tally = { 0 };

	for (size_t i = 0; i < N_ITEMS(pages); i++)
		pages[i] = open_page(i < 2 ? HR_CAPTURE : HR_PLAYBACK, hr_now_ns());
	hr_page_announce(pages[0]);
	tally_for(ctl, &tally, LATER_MS);
	for (size_t i = 0; i < N_EXPECTED; i++) {
		ck_assert_uint_eq(tally.added[PLAYBACK_1][i], 1);
		ck_assert_uint_eq(tally.added[CAPTURE_1][i], 1);
	}
	ck_assert_uint_eq(n_added(&tally), 2 * N_EXPECTED);
	ck_assert_uint_eq(times_told(&tally, PLAYBACK, "State"), 1);
	snd_ctl_close(ctl);
	for (size_t i = 0; i < N_ITEMS(pages); i++)
		hr_page_close(pages[i], hr_now_ns());
}
END_TEST

START_TEST(a_further_stream_that_comes_again_is_not_added_again)
{
	struct hr_page *first = open_page(HR_PLAYBACK, hr_now_ns()), *second;
	snd_ctl_t *ctl = open_subscribed();
	struct tally tally = { 0 }, again = { 0 };

	second = open_page(HR_PLAYBACK, hr_now_ns());
	hr_page_announce(second);
	tally_for(ctl, &tally, LATER_MS);
	check_added(&tally, PLAYBACK_1);
	hr_page_close(second, hr_now_ns());
	await(ctl, PLAYBACK_1, "State");

	/* As another file; nor to who subscribes again. */
	ck_assert_int_eq(unlink(in_directory("x.playback.1")), 0);
	ck_assert_int_eq(snd_ctl_subscribe_events(ctl, 0), 0);
	ck_assert_uint_eq(count_listed(ctl), 3 * N_EXPECTED);
	ck_assert_int_eq(snd_ctl_subscribe_events(ctl, 1), 0);
	second = open_page(HR_PLAYBACK, hr_now_ns());
	hr_page_announce(second);
	tally_until(ctl, &again, PLAYBACK_1, "State");
	ck_assert_uint_eq(n_added(&again), 0);
	hr_page_close(second, hr_now_ns());
	snd_ctl_close(ctl);
	hr_page_close(first, hr_now_ns());
}
END_TEST

/* Those that were listed before are known, those that were not are news. _i: it came
 * before the handle was opened, before the listing, between that and the
 * subscription, or there it has even ended. */
START_TEST(a_further_stream_is_either_listed_or_added)
{
	struct hr_page *first = open_page(HR_PLAYBACK, hr_now_ns()), *second = NULL;
	struct tally tally = { 0 };
	unsigned int n_listed;
	snd_ctl_t *ctl;

	if (_i == 0)
		second = open_page(HR_PLAYBACK, hr_now_ns());
	ctl = open_ctl();
	if (_i == 1)
		second = open_page(HR_PLAYBACK, hr_now_ns());
	n_listed = count_listed(ctl);
	if (_i >= 2)
		second = open_page(HR_PLAYBACK, hr_now_ns());
	if (_i == 3) {
		hr_page_close(second, hr_now_ns());
		hr_page_close(first, hr_now_ns());
		first = second = NULL;
	}
	ck_assert_int_eq(snd_ctl_subscribe_events(ctl, 1), 0);
	tally_for(ctl, &tally, LATER_MS);
	ck_assert_uint_eq(n_listed + n_added(&tally), 3 * N_EXPECTED);
	ck_assert_uint_eq(n_told(&tally), 0);
	snd_ctl_close(ctl);
	hr_page_close(second, hr_now_ns());
	hr_page_close(first, hr_now_ns());
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ctl_event_streams");
	TCase *tcase;

	tcase = add_case(suite, "come and go");
	tcase_add_test(tcase, a_stream_that_starts_is_told_at_once);
	tcase_add_loop_test(tcase, a_stream_that_does_not_announce_itself_is_told, 0, 2);
	tcase_add_test(tcase, a_page_that_is_finished_later_is_told_soon);
	tcase_add_loop_test(tcase, a_directory_may_come_later, 0, 2);
	tcase_add_loop_test(tcase, a_directory_may_be_moved_away, 0, 2);
	tcase_add_test(tcase, a_stream_that_ends_is_told_at_once_and_then_all_is_quiet);
	tcase_add_test(tcase, a_stream_that_is_killed_is_told_closed);
	tcase_add_loop_test(tcase, a_page_that_is_removed_is_told, 0, 2);
	tcase_add_loop_test(tcase, a_page_that_becomes_another_versions_is_told, 0, 2);

	tcase = add_case(suite, "further slots");
	tcase_add_test(tcase, the_elements_of_a_further_stream_are_added_and_then_told);
	tcase_add_test(tcase, a_further_stream_is_added_at_once);
	tcase_add_test(tcase, several_further_streams_are_added_together);
	tcase_add_test(tcase, a_further_stream_that_comes_again_is_not_added_again);
	tcase_add_loop_test(tcase, a_further_stream_is_either_listed_or_added, 0, 4);
	return run_suite(suite);
}
