/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Whose streams the control device shows: its key `user`.
 */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "core/clock.h"
#include "tests/event_fixture.h"

/* Numbers that nobody has; where the one's pages are, and which. */
#define A_USER 54331
#define A_STRANGER 54332
#define A_USER_KEY "user 54331"
#define A_USERS_PLACE "/dev/shm/headroom-54331"
#define A_USERS_PAGE A_USERS_PLACE "/x.playback.0"

START_TEST(a_user_that_does_not_exist_is_refused_in_one_line)
{
	static const struct { const char *body, *words[3]; } bad[] = {
		{ "user nosuchuser", { "user", "nosuchuser", "name or number" } },
		{ "user \"12x\"", { "user", "12x", "name or number" } },
		{ "user -1", { "user", "-1", "name or number" } },
		{ "user \"-1\"", { "user", "-1", "name or number" } },
		{ "user \" \"", { "user", "user", "name or number" } },
		{ "user 4294967295", { "user", "4294967295", "name or number" } },
		{ "user \"4294967295\"", { "user", "4294967295", "name or number" } },
		{ "user \"99999999999999999999999\"",
		  { "user", "99999999999999999999999", "name or number" } },
		{ "user 1.5", { "user", "1.5", "name or number" } },
		{ "user { a 1 }", { "user", "{", "name or number" } },
	};
	snd_ctl_t *ctl = NULL;

	ck_assert_int_eq(try_open(&ctl, "x", bad[_i].body), -EINVAL);
	ck_assert_ptr_null(ctl);
	for (size_t i = 0; i < N_ITEMS(bad[_i].words); i++)
		ck_assert_msg(strstr(complaints, bad[_i].words[i]) != NULL,
			      "no %s in: %s", bad[_i].words[i], complaints);
	ck_assert_ptr_null(strchr(complaints, '\n'));
}
END_TEST
#define N_BAD 10

START_TEST(an_unknown_key_names_user_among_the_allowed)
{
	snd_ctl_t *ctl = NULL;

	ck_assert_int_eq(try_open(&ctl, "x", "usr foo"), -EINVAL);
	ck_assert_msg(strstr(complaints, "user") != NULL, "%s", complaints);
}
END_TEST

START_TEST(no_user_is_us_and_our_directory)
{
	struct hr_page *page = open_busy_page(HR_PLAYBACK);
	snd_ctl_t *ctl;

	ck_assert_int_eq(try_open(&ctl, "x", "user \"\""), 0);
	ck_assert_int_eq(read_playback(ctl, "Frames"), 5000000002);
	ck_assert_int_eq(write_playback(ctl, "Trigger", 85), 1);
	ck_assert_str_eq(complaints, "");
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

/* --- us, by number or name --- */

/* Of its own, since it is where our real streams are. */
static char own_name[32], own_place[64], own_page[128];
static bool is_place_ours;

static void name_own(void)
{
	snprintf(own_name, sizeof(own_name), "hr-test-ctl-%d", (int)getpid());
	snprintf(own_place, sizeof(own_place), "/dev/shm/headroom-%u",
		 (unsigned int)geteuid());
	snprintf(own_page, sizeof(own_page), "%s/%s.playback.0", own_place, own_name);
	is_place_ours = access(own_place, F_OK) < 0;
}

static void remove_own_page(void)
{
	unlink(own_page);
}

static void remove_own(void)
{
	remove_own_page();
	if (is_place_ours)
		rmdir(own_place);
}

/* i: as a number, a number in quotes, or a name. */
static snd_ctl_t *open_own(int i)
{
	const struct passwd *passwd = getpwuid(geteuid());
	char body[256];
	snd_ctl_t *ctl;

	if (i == 2 && passwd)
		snprintf(body, sizeof(body), "name %s user %s", own_name,
			 passwd->pw_name);
	else
		snprintf(body, sizeof(body), i ? "name %s user \"%u\"" : "name %s user %u",
			 own_name, (unsigned int)geteuid());
	ck_assert_int_eq(try_open(&ctl, "x", body), 0);
	return ctl;
}

START_TEST(we_are_a_user_like_any_other)
{
	struct hr_page_config config = config_of(HR_PLAYBACK);
	struct hr_page *page;
	snd_ctl_t *ctl;

	config.name = own_name;
	ck_assert_int_eq(unsetenv("HEADROOM_DIR"), 0);
	ck_assert_int_eq(hr_page_open(&page, &config, hr_now_ns()), 0);
	ck_assert_int_eq(setenv("HEADROOM_DIR", directory, 1), 0);
	hr_page_set(page, HR_STAT_FRAMES, 44);
	ctl = open_own(_i);
	ck_assert_int_eq(read_playback(ctl, "Frames"), 44);
	ck_assert_int_eq(write_playback(ctl, "Trigger", 85), 1);
	ck_assert_int_eq(read_playback(ctl, "Trigger"), 85);
	ck_assert_str_eq(complaints, "");
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}
END_TEST

/* And not in HEADROOM_DIR, where the handle does not look. */
START_TEST(our_first_setting_is_made_where_the_handle_looks)
{
	snd_ctl_t *ctl = open_own(_i);
	int err = write_playback(ctl, "Trigger", 95);

	ck_assert_int_eq(read_playback(ctl, "Trigger"), err == 1 ? 95 : 90);
	ck_assert_int_eq(access(own_page, F_OK) == 0, err == 1);
	snd_ctl_close(ctl);
}
END_TEST

/* --- another user --- */

static void remove_place(void)
{
	remove_tree(A_USERS_PLACE);
}

static void setup_place(void)
{
	remove_place();
	snd_ctl_close(open_ctl());	/* loads the module */
}

static snd_ctl_t *open_users(void)
{
	snd_ctl_t *ctl;

	ck_assert_int_eq(try_open(&ctl, "x", A_USER_KEY), 0);
	return ctl;
}

static struct hr_page *open_users_page(mode_t perm)
{
	struct hr_page_config config = config_of(HR_PLAYBACK);
	struct hr_page *page;

	config.perm = perm;
	CHILD_ASSERT(unsetenv("HEADROOM_DIR") == 0);
	CHILD_ASSERT(hr_page_open(&page, &config, hr_now_ns()) == 0);
	hr_page_set(page, HR_STAT_FRAMES, 55);
	return page;
}

static void leave_page(void)
{
	hr_page_close(open_users_page(0600), hr_now_ns());
}

static void leave_public_page(void)
{
	hr_page_close(open_users_page(0644), hr_now_ns());
}

static void hold_page(void)
{
	struct hr_page *page = open_users_page(0600);

	hr_page_set(page, HR_STAT_STATE, HR_STATE_RUNNING);
	hr_page_announce(page);
	for (;;)
		pause();
}

START_TEST(root_sees_another_users_streams_and_sets_nothing)
{
	snd_ctl_t *ctl;

	as_user(A_USER, leave_page);
	ctl = open_users();
	ck_assert_int_eq(read_playback(ctl, "Frames"), 55);
	ck_assert_int_eq(read_playback(ctl, "Trigger"), 80);
	ck_assert_int_eq(write_playback(ctl, "Trigger", 85), -EPERM);
	ck_assert_int_eq(write_playback(ctl, "Clear", 55), -EPERM);
	ck_assert_int_eq(write_playback(ctl, "Reset", 1), -EPERM);
	ck_assert_int_eq(read_playback(ctl, "Frames"), 55);
	ck_assert_int_eq(read_playback(ctl, "Trigger"), 80);
	ck_assert_int_eq(read_playback(ctl, "Clear"), 60);
	ck_assert_str_eq(complaints, "");
	snd_ctl_close(ctl);
}
END_TEST

START_TEST(nothing_is_set_for_another_user)
{
	snd_ctl_t *ctl = open_users();

	ck_assert_int_eq(write_playback(ctl, "Trigger", 95), -EPERM);
	ck_assert_int_eq(write_playback(ctl, "Clear", 55), -EPERM);
	ck_assert_int_lt(access(A_USERS_PLACE, F_OK), 0);
	ck_assert_int_lt(access(in_directory("x.playback.0"), F_OK), 0);
	snd_ctl_close(ctl);
}
END_TEST

/* Start a stream of the user; ns until it was told that it runs. */
static uint64_t start_users_stream(snd_ctl_t *ctl, pid_t *pid)
{
	uint64_t start_ns = hr_now_ns(), ns;

	*pid = start_as_user(A_USER, hold_page);
	await(ctl, PLAYBACK, "State");
	ns = hr_now_ns() - start_ns;
	/* It is opened first, and then runs. */
	wait_until_stale();
	while (read_playback(ctl, "State") != HR_STATE_RUNNING) {
		await(ctl, PLAYBACK, "State");
		wait_until_stale();
	}
	ck_assert_int_eq(read_playback(ctl, "Process"), *pid);
	return ns;
}

/* Whose directory may not even be there yet. */
START_TEST(another_users_streams_are_told)
{
	const uint64_t first_ns = HR_NS_PER_S, next_ns = 200 * HR_NS_PER_MS;
	uint64_t best_first_ns = first_ns, best_next_ns = next_ns;

	for (int i = 0; i < 10; i++) {
		snd_ctl_t *ctl = open_users();
		uint64_t ns;
		pid_t pid;

		ck_assert_int_eq(snd_ctl_subscribe_events(ctl, 1), 0);
		ns = start_users_stream(ctl, &pid);
		if (ns < best_first_ns)
			best_first_ns = ns;
		kill_stream(pid);
		await(ctl, PLAYBACK, "State");
		ns = start_users_stream(ctl, &pid);
		if (ns < best_next_ns)
			best_next_ns = ns;
		kill_stream(pid);
		await(ctl, PLAYBACK, "State");
		snd_ctl_close(ctl);
		remove_place();
		if (best_first_ns < first_ns && best_next_ns < next_ns)
			break;
	}
	ck_assert_uint_lt(best_first_ns, first_ns);
	ck_assert_uint_lt(best_next_ns, next_ns);
}
END_TEST

static void look_at_public_page(void)
{
	snd_ctl_t *ctl = open_users();

	CHILD_ASSERT(read_playback(ctl, "Frames") == 55);
	CHILD_ASSERT(write_playback(ctl, "Trigger", 85) < 0);
	CHILD_ASSERT(write_playback(ctl, "Reset", 1) < 0);
	CHILD_ASSERT(read_playback(ctl, "Frames") == 55);
	CHILD_ASSERT(complaints[0] == '\0');
	snd_ctl_close(ctl);
}

static void look_at_private_page(void)
{
	snd_ctl_t *ctl = open_users();

	CHILD_ASSERT(read_playback(ctl, "Frames") == 0);
	CHILD_ASSERT(strstr(complaints, "'x'") != NULL);
	snd_ctl_close(ctl);
}

START_TEST(users_see_of_each_other_what_they_allow)
{
	as_user(A_USER, _i ? leave_public_page : leave_page);
	as_user(A_STRANGER, _i ? look_at_public_page : look_at_private_page);
}
END_TEST

/* Anybody can make a directory there. */
START_TEST(what_a_stranger_puts_in_a_users_place_is_not_believed)
{
	snd_ctl_t *ctl;

	as_user(A_USER, leave_page);
	ck_assert_int_eq(chown(A_USERS_PLACE, A_STRANGER, A_STRANGER), 0);
	ck_assert_int_eq(chown(A_USERS_PAGE, A_STRANGER, A_STRANGER), 0);
	ctl = open_users();
	ck_assert_int_eq(read_playback(ctl, "Frames"), 0);
	ck_assert_msg(strstr(complaints, "'x'") != NULL, "no word of it");
	snd_ctl_close(ctl);
}
END_TEST

static void subscribe_without_directory(void)
{
	struct hr_page *page;
	struct event event;
	struct stat st;
	snd_ctl_t *ctl;

	CHILD_ASSERT(unsetenv("HEADROOM_DIR") == 0);
	ctl = open_subscribed();
	CHILD_ASSERT(stat(A_USERS_PLACE, &st) == 0);
	CHILD_ASSERT(st.st_uid == A_USER && (st.st_mode & 07777) == 0700);
	CHILD_ASSERT(!next_event(ctl, &event, LATER_MS));
	CHILD_ASSERT(!is_readable(ctl, LATER_MS));
	page = open_users_page(0600);
	hr_page_announce(page);
	await(ctl, PLAYBACK, "State");
	snd_ctl_close(ctl);
	hr_page_close(page, hr_now_ns());
}

/* So that nobody has to look for it twice a second. */
START_TEST(our_own_directory_is_made_to_be_watched)
{
	as_user(A_USER, subscribe_without_directory);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ctl_user");
	TCase *tcase;

	tcase = add_case(suite, "configuration");
	tcase_add_loop_test(tcase, a_user_that_does_not_exist_is_refused_in_one_line,
			    0, N_BAD);
	tcase_add_test(tcase, an_unknown_key_names_user_among_the_allowed);
	tcase_add_test(tcase, no_user_is_us_and_our_directory);

	tcase = add_case(suite, "own");
	/* In our process, so that it happens after a failure too. */
	tcase_add_unchecked_fixture(tcase, name_own, remove_own);
	tcase_add_checked_fixture(tcase, remove_own_page, NULL);
	tcase_add_loop_test(tcase, we_are_a_user_like_any_other, 0, 3);
	tcase_add_loop_test(tcase, our_first_setting_is_made_where_the_handle_looks, 0, 3);

	/* To be others takes root. */
	if (geteuid() != 0)
		return run_suite(suite);
	tcase = add_case(suite, "others");
	tcase_add_checked_fixture(tcase, setup_place, NULL);
	tcase_add_unchecked_fixture(tcase, NULL, remove_place);
	tcase_add_test(tcase, root_sees_another_users_streams_and_sets_nothing);
	tcase_add_test(tcase, nothing_is_set_for_another_user);
	tcase_add_test(tcase, another_users_streams_are_told);
	tcase_add_loop_test(tcase, users_see_of_each_other_what_they_allow, 0, 2);
	tcase_add_test(tcase, what_a_stranger_puts_in_a_users_place_is_not_believed);
	tcase_add_test(tcase, our_own_directory_is_made_to_be_watched);
	return run_suite(suite);
}
