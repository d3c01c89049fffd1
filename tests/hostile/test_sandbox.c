/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A sandbox that closes around a program, as those of browsers and media services do: at
 * first all is allowed, then no more files, no threads, no favours of the scheduler. What
 * was made before goes on; what cannot be made is a proper error; and a stream that was
 * prepared needs nothing, so that even being killed for asking does not happen.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/lines.h"
#include "tests/pcm_rig.h"

#define FRAMES 9600
#define CALLS_MAX 64

static struct rig rig;

static const struct rig_params stereo = {
	.access = SND_PCM_ACCESS_RW_INTERLEAVED, .format = SND_PCM_FORMAT_S16_LE,
	.channels = 2, .rate = 96000, .period = 480, .buffer = 4800,
};

static const long files[] = {
#ifdef SYS_open
	SYS_open, SYS_creat,
#endif
	SYS_openat, SYS_openat2, SYS_socket, SYS_memfd_create, SYS_pipe2, SYS_epoll_create1,
	SYS_timerfd_create, SYS_inotify_init1, -1,
};
static const long wakes[] = { SYS_eventfd2, -1 };
static const long threads[] = { SYS_clone, SYS_clone3, -1 };
static const long polls[] = {
#ifdef SYS_poll
	SYS_poll,
#endif
	SYS_ppoll, SYS_epoll_wait, SYS_epoll_pwait, SYS_select, SYS_pselect6, -1,
};
static const long favours[] = {
	SYS_sched_setattr, SYS_sched_getattr, SYS_sched_setscheduler, SYS_sched_setparam,
	SYS_mlock, SYS_mlock2, SYS_madvise, SYS_prctl, SYS_utimensat, SYS_setpriority,
	SYS_inotify_add_watch, -1,
};
/* What a stream that runs might be tempted by. */
static const long temptations[] = {
	SYS_fcntl, SYS_ftruncate, SYS_fallocate, SYS_unlinkat, SYS_mkdirat, SYS_getrandom,
	SYS_sched_yield, SYS_setitimer, SYS_rt_sigprocmask, SYS_rt_sigaction,
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	SYS_mmap, SYS_munmap, SYS_brk, SYS_mprotect, SYS_mremap,
#endif
	-1,
};

static void set_up(void)
{
	pcm_rig_init(&rig);
	keep_lines();
}

static void tear_down(void)
{
	pcm_rig_finish(&rig);
}

/* No call of these lists from now on, in any thread. */
static void forbid(uint32_t action, const long *const *lists)
{
	struct sock_filter filter[CALLS_MAX + 2] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};
	struct sock_fprog program = { .filter = filter };
	unsigned short n = 1, n_calls = 0;

	for (const long *const *list = lists; *list; list++) {
		for (const long *call = *list; *call >= 0; call++)
			n_calls++;
	}
	ck_assert_uint_lt(n_calls, CALLS_MAX - 1);
	for (; *lists; lists++) {
		for (const long *call = *lists; *call >= 0; call++, n++)
			filter[n] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
				(uint32_t)*call, (uint8_t)(n_calls - n + 1), 0);
	}
	filter[n++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	filter[n++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, action);
	program.len = n;
	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
				 SECCOMP_FILTER_FLAG_TSYNC, &program), 0);
}
#define FORBID(action, ...) forbid(action, (const long *const[]){ __VA_ARGS__, NULL })
#define REFUSE(error) (SECCOMP_RET_ERRNO | (error))

static unsigned int count_descriptors(void)
{
	unsigned int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Everything that a program does with a stream that is prepared. */
static void use_stream(const uint8_t *data)
{
	static uint32_t got[FRAMES];

	if (snd_pcm_stream(rig.pcm) == SND_PCM_STREAM_CAPTURE) {
		rig_read(&rig, (uint8_t *)got, FRAMES);
		for (uint32_t i = 1; i < FRAMES; i++)
			ck_assert_uint_eq(got[i], got[0] + i);
		ck_assert_int_eq(snd_pcm_drop(rig.pcm), 0);
		return;
	}
	rig_write(&rig, data, FRAMES / 2, 480);
	if (snd_pcm_pause(rig.pcm, 1) == 0)
		ck_assert_int_eq(snd_pcm_pause(rig.pcm, 0), 0);
	rig_write(&rig, data + FRAMES / 2 * 4, FRAMES / 2, 333);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
}

static snd_pcm_stream_t stream_of(int i)
{
	return i & 1 ? SND_PCM_STREAM_CAPTURE : SND_PCM_STREAM_PLAYBACK;
}

static void open_only(snd_pcm_stream_t stream)
{
	ck_assert_int_eq(rig_try_open_headroom(&rig, stream, 0, "", ""), 0);
}

static int install(void)
{
	return snd_pcm_set_params(rig.pcm, stereo.format, stereo.access, stereo.channels,
				  stereo.rate, 0, 50000);
}

static void close_stream(void)
{
	ck_assert_int_eq(snd_pcm_close(rig.pcm), 0);
	rig.pcm = NULL;
}

/* In a process of its own, for the test itself needs files afterwards. */
static void in_sandbox(void (*run)(int, const uint8_t *), int i, bool is_heard)
{
	uint8_t *data;
	pid_t child;
	int status;

	rig.frame_bytes = 4;
	data = rig_noise(&rig, FRAMES, 91);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		alarm(30);
		run(i, data);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(status == 0, "wait status %#x", (unsigned int)status);
	if (is_heard && stream_of(i) == SND_PCM_STREAM_PLAYBACK)
		rig_assert_heard(&rig, data, FRAMES);
	free(data);
}

static void without_favours(int i, const uint8_t *data)
{
	open_only(stream_of(i));	/* loads modules, for which there must be files */
	close_stream();
	FORBID(REFUSE(i & 2 ? ENOSYS : EPERM), favours);
	ck_assert_int_eq(snd_pcm_open_lconf(&rig.pcm, "x", stream_of(i), 0, rig.config), 0);
	ck_assert_int_eq(install(), 0);
	use_stream(data);
	close_stream();
	ck_assert_msg(n_lines == 0, "%s", lines);
}

START_TEST(favours_that_are_refused_are_done_without)	/* _i: capture, errno */
{
	in_sandbox(without_favours, _i, true);
}
END_TEST

static void no_files_after_open(int i, const uint8_t *data)
{
	open_only(stream_of(i));
	FORBID(REFUSE(EPERM), files, favours);
	ck_assert_int_eq(install(), 0);
	use_stream(data);
	close_stream();
	ck_assert_msg(n_lines == 0, "%s", lines);
}

START_TEST(a_stream_that_is_open_needs_no_files)	/* _i: capture */
{
	in_sandbox(no_files_after_open, _i, true);
}
END_TEST

static void no_threads_after_open(int i, const uint8_t *data)
{
	unsigned int fds;

	(void)data;
	open_only(stream_of(i));
	fds = count_descriptors();
	if (i & 2)
		FORBID(REFUSE(EPERM), threads);
	else
		FORBID(REFUSE(EPERM), files, wakes, threads, favours);
	for (unsigned int n = 1; n <= 3; n++) {
		ck_assert_int_eq(install(), -EPERM);
		ck_assert_msg(n_lines == n && strstr(lines, "cannot make the I/O thread: "
						     "Operation not permitted"), "%s", lines);
		ck_assert_uint_eq(count_descriptors(), fds);
	}
	close_stream();
}

START_TEST(a_thread_that_is_refused_is_an_error_with_one_line)	/* _i: capture, all else */
{
	in_sandbox(no_threads_after_open, _i, false);
}
END_TEST

static void nothing_after_prepare(int i, const uint8_t *data)
{
	open_only(stream_of(i));
	ck_assert_int_eq(install(), 0);
	FORBID(REFUSE(EPERM), files, wakes, threads, favours, temptations);
	use_stream(data);
	ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	ck_assert_msg(n_lines == 0, "%s", lines);
	close_stream();
}

START_TEST(a_stream_that_is_prepared_needs_nothing)	/* _i: capture */
{
	in_sandbox(nothing_after_prepare, _i, true);
}
END_TEST

static void killed_for_asking(int i, const uint8_t *data)
{
	open_only(stream_of(i));
	ck_assert_int_eq(install(), 0);
	/* The reporter's notice, some 20 ms after the last change. */
	FORBID(SECCOMP_RET_KILL_PROCESS, files, wakes, threads, temptations,
	       (const long[]){ SYS_sched_setattr, SYS_sched_getattr, SYS_sched_setscheduler,
			       SYS_sched_setparam, SYS_mlock, SYS_mlock2, SYS_madvise,
			       SYS_prctl, SYS_setpriority, -1 });
	use_stream(data);
	_exit(0);
}

START_TEST(a_stream_that_is_prepared_asks_for_nothing)	/* _i: capture */
{
	in_sandbox(killed_for_asking, _i, true);
}
END_TEST

/* The daemon that drops all it does not need: a limit below the descriptors it has,
 * which poll() holds against whoever has more to ask after. Here, all. */
static void drop_descriptors(int to)
{
	const struct rlimit limit = { (rlim_t)to, (rlim_t)to };

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void rest(void)
{
	const struct timespec ts = { .tv_nsec = 5 * 1000 * 1000 };

	nanosleep(&ts, NULL);
}

/* By the clock, for it may not wait either; n frames. */
static void use_blindly(const uint8_t *data, uint32_t n)
{
	static uint32_t got[FRAMES];
	bool plays = snd_pcm_stream(rig.pcm) == SND_PCM_STREAM_PLAYBACK;
	snd_pcm_sframes_t done;

	if (!plays)
		ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	for (uint32_t at = 0; at < n; at += done > 0 ? (uint32_t)done : 0) {
		done = plays ? snd_pcm_writei(rig.pcm, data + at * 4, n - at) :
			       snd_pcm_readi(rig.pcm, got + at, n - at);
		if (done == -EAGAIN)
			rest();
		else
			ck_assert_int_gt(done, 0);
	}
	for (uint32_t i = 1; !plays && i < n; i++)
		ck_assert_uint_eq(got[i], got[0] + i);
	while (plays && (done = snd_pcm_drain(rig.pcm)) == -EAGAIN)
		rest();
	ck_assert_int_eq(plays ? (int)done : snd_pcm_drop(rig.pcm), 0);
}

/* Each look at the card is one of a step: a thread that spins has thousands. */
static void assert_looks(uint32_t before)
{
	uint32_t looks = clocked_command_looks(rig.command_fd) - before;

	ck_assert_msg(looks < 1000, "%u looks at 100 ms of sound", looks);
}

static void blind_after_prepare(int i, const uint8_t *data)
{
	uint32_t before;

	open_only(stream_of(i));
	ck_assert_int_eq(install(), 0);
	ck_assert_int_eq(snd_pcm_nonblock(rig.pcm, 1), 0);
	if (i & 2)
		FORBID(REFUSE(EPERM), files, wakes, threads, favours, temptations, polls);
	else
		drop_descriptors(0);
	before = clocked_command_looks(rig.command_fd);
	use_blindly(data, FRAMES);
	assert_looks(before);
	ck_assert_msg(n_lines == 0, "%s", lines);
	close_stream();
}

START_TEST(a_stream_that_may_not_even_poll_goes_on)	/* _i: capture; forbidden or limited */
{
	rig_be_commanded(&rig);
	in_sandbox(blind_after_prepare, _i, true);
}
END_TEST

/* Enough for the program's own waits, not for two descriptors. */
static void one_descriptor_after_prepare(int i, const uint8_t *data)
{
	uint32_t before;

	open_only(stream_of(i));
	ck_assert_int_eq(install(), 0);
	drop_descriptors(1);
	before = clocked_command_looks(rig.command_fd);
	use_stream(data);
	assert_looks(before);
	ck_assert_msg(n_lines == 0, "%s", lines);
	close_stream();
}

START_TEST(a_stream_that_may_poll_one_descriptor_goes_on)	/* _i: capture */
{
	rig_be_commanded(&rig);
	in_sandbox(one_descriptor_after_prepare, _i, true);
}
END_TEST

/* What is gone is not found any more: that is all. */
static void nothing_to_look_with(int i, const uint8_t *data)
{
	uint32_t got[480];

	ck_assert_int_eq(rig_try_open_headroom(&rig, stream_of(i), 0, "",
					       "on_device_loss reconnect on_overrun drop"), 0);
	ck_assert_int_eq(install(), 0);
	if (i & 2)
		drop_descriptors(1);
	else
		FORBID(REFUSE(EPERM), files, wakes, threads, favours, temptations);
	ck_assert(clocked_command_vanish(rig.command_fd));
	ck_assert(clocked_command_come_back(rig.command_fd));
	/* As long as it takes to look for it twice. */
	for (unsigned int n = 0; n < 480; n++) {
		if (i & 1)
			rig_read(&rig, (uint8_t *)got, 480);
		else
			rig_write(&rig, data, 480, 480);
	}
	ck_assert_int_eq(snd_pcm_drop(rig.pcm), 0);
	ck_assert_msg(n_lines == 1 && strstr(lines, "is gone"), "%s", lines);
	close_stream();
}

START_TEST(a_stream_that_cannot_look_for_its_device_goes_on)	/* _i: capture; how */
{
	rig_be_commanded(&rig);
	in_sandbox(nothing_to_look_with, _i, false);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sandbox");
	TCase *tcase = pcm_rig_case(suite, "sandbox", set_up, tear_down);

	tcase_add_loop_test(tcase, favours_that_are_refused_are_done_without, 0, 4);
	tcase_add_loop_test(tcase, a_stream_that_is_open_needs_no_files, 0, 2);
	tcase_add_loop_test(tcase, a_thread_that_is_refused_is_an_error_with_one_line, 0, 4);
	tcase_add_loop_test(tcase, a_stream_that_is_prepared_needs_nothing, 0, 2);
	tcase_add_loop_test(tcase, a_stream_that_is_prepared_asks_for_nothing, 0, 2);
	tcase_add_loop_test(tcase, a_stream_that_may_not_even_poll_goes_on, 0, 4);
	tcase_add_loop_test(tcase, a_stream_that_may_poll_one_descriptor_goes_on, 0, 2);
	tcase_add_loop_test(tcase, a_stream_that_cannot_look_for_its_device_goes_on, 0, 4);
	return pcm_rig_run(suite);
}
