/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Requests that are given up, and those that are not, between real threads:
 * hr_io_request_until() and hr_io_request() against hr_io_serve_request(). tests/model/io.pml
 * has all that can happen between the two; this is the code itself.
 */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include "core/clock.h"
#include "plugin/io_thread.h"
#include "tests/suite.h"

#define LOOKS 5000
#define PATIENCE_MAX_NS 20000
#define LONG_NS (50 * HR_NS_PER_MS)

static struct hr_io io;
static struct hr_slave slave;
static struct hr_reporter reporter;
static _Atomic bool over;
static _Atomic int n_signals;

static void set_up(void)
{
	struct hr_stream_config config = {
		.chunk_frames = 4, .frame_bytes = 2, .rate = 48000, .capacity_frames = 16,
	};
	struct hr_page_config page = {
		.name = "look", .direction = HR_PLAYBACK, .perm = 0600, .gid = (gid_t)-1,
		.trigger = 80, .clear = 50, .window = 16,
	};

	slave = (struct hr_slave) { .period = 4, .buffer = 16 };
	reporter = (struct hr_reporter) { .wake.fd = -1 };
	io = (struct hr_io) {
		.direction = HR_PLAYBACK, .rate = 48000, .buffer = 16, .period = 4,
		.slave = &slave, .reporter = &reporter, .app_wake.fd = -1,
	};
	over = false;
	n_signals = 0;
	ck_assert_int_eq(hr_stream_create(&io.stream, &config), 0);
	ck_assert_int_eq(hr_page_open_private(&io.page, &page, hr_now_ns()), 0);
	ck_assert_int_eq(hr_wake_init(&io.io_wake), 0);
	sem_init(&io.answered, 0, 0);
}

static void tear_down(void)
{
	hr_wake_finish(&io.io_wake);
	hr_page_close(io.page, hr_now_ns());
	hr_stream_destroy(io.stream);
	sem_destroy(&io.answered);
}

static bool look_within(uint64_t ns)
{
	return hr_io_request_until(&io, HR_REQUEST_LOOK, hr_now_ns() + ns);
}

/* Nothing of it comes later. */
static void assert_done_with(void)
{
	int value;

	ck_assert_int_eq(sem_getvalue(&io.answered, &value), 0);
	ck_assert_int_eq(value, 0);
	ck_assert_int_eq(atomic_load(&io.request), HR_REQUEST_NONE);
}

/* Below the longest patience, another each time. */
static uint64_t draw_ns(unsigned int *state)
{
	*state = *state * 1103515245 + 12345;
	return (*state >> 8) % PATIENCE_MAX_NS;
}

/* ---- an I/O thread that is there ---- */

/* It comes as late as the other is patient: that is when it matters who is first. */
static void *serve_requests(void *unused)
{
	unsigned int state = 2;
	uint64_t until_ns;

	while (!over) {
		until_ns = hr_now_ns() + draw_ns(&state);
		while (hr_now_ns() < until_ns)
			;
		(void)hr_io_serve_request(&io);
	}
	return unused;
}

/* Each has the answer that only it is given. */
START_TEST(every_request_has_its_own_answer)
{
	unsigned int n_given_up = 0, state = 1;
	pthread_t thread;

	prctl(PR_SET_TIMERSLACK, 1);	/* else it gives up much later */
	ck_assert_int_eq(pthread_create(&thread, NULL, serve_requests, NULL), 0);
	for (int i = 0; i < LOOKS; i++) {
		n_given_up += !look_within(draw_ns(&state));
		assert_done_with();
		if (i % 2)
			ck_assert_int_eq(hr_io_request(&io, HR_REQUEST_PAUSE), -EBADFD);
		else
			ck_assert_int_eq(hr_io_request(&io, HR_REQUEST_REWIND), 0);
		assert_done_with();
	}
	over = true;
	pthread_join(thread, NULL);
	assert_done_with();
	/* Neither is an exception. */
	ck_assert_uint_gt(n_given_up, 0);
	ck_assert_uint_lt(n_given_up, LOOKS);
}
END_TEST

/* ---- one that is held up ---- */

/* Takes the request, and then nothing for long. */
static void *take_and_be_held(void *unused)
{
	while (atomic_load(&io.request) != HR_REQUEST_LOOK)
		;
	atomic_store(&io.request, HR_REQUEST_TAKEN);
	nanosleep(&(struct timespec){ .tv_nsec = LONG_NS }, NULL);
	atomic_store(&io.request, HR_REQUEST_NONE);
	sem_post(&io.answered);
	return unused;
}

START_TEST(what_was_begun_is_not_given_up)
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, take_and_be_held, NULL), 0);
	while (!look_within(HR_NS_PER_MS))
		;
	assert_done_with();
	pthread_join(thread, NULL);
}
END_TEST

static void count_signal(int number)
{
	(void)number;
	n_signals++;
}

/* How long it took, or 0 if it was looked. */
static void *look_for_long(void *took_ns)
{
	uint64_t began_ns = hr_now_ns();

	if (!look_within(LONG_NS))
		*(uint64_t *)took_ns = hr_now_ns() - began_ns;
	/* It would be cancelled by whatever it calls next. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	over = true;
	return NULL;
}

START_TEST(a_signal_does_not_end_the_patience)
{
	const struct sigaction action = { .sa_handler = count_signal };
	uint64_t took_ns = 0;
	pthread_t thread;

	sigaction(SIGUSR1, &action, NULL);
	ck_assert_int_eq(pthread_create(&thread, NULL, look_for_long, &took_ns), 0);
	while (!over)
		pthread_kill(thread, SIGUSR1);
	pthread_join(thread, NULL);
	ck_assert_int_gt(n_signals, 0);
	ck_assert_uint_ge(took_ns, LONG_NS);
	assert_done_with();
}
END_TEST

/* Else nobody would drop the lock it has, nor take the request back. */
START_TEST(who_is_cancelled_has_given_up_first)
{
	uint64_t took_ns = 0;
	pthread_t thread;
	void *result;

	ck_assert_int_eq(pthread_create(&thread, NULL, look_for_long, &took_ns), 0);
	pthread_cancel(thread);
	pthread_join(thread, &result);
	ck_assert_ptr_ne(result, PTHREAD_CANCELED);
	ck_assert_uint_ge(took_ns, LONG_NS);
	assert_done_with();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("io_look");
	TCase *tcase = tcase_create("look");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, every_request_has_its_own_answer);
	tcase_add_test(tcase, what_was_begun_is_not_given_up);
	tcase_add_test(tcase, a_signal_does_not_end_the_patience);
	tcase_add_test(tcase, who_is_cancelled_has_given_up_first);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
