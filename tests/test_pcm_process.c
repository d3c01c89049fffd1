/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What a stream means to the process around it: its signals, its threads and
 * descriptors, its children, and its end.
 */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "tests/pcm_rig.h"
#include "tests/threads.h"

#define TASKS_MAX 64
#define SOON_NS (20 * HR_NS_PER_S)	/* far beyond any delay that is none */

/* "State" */
enum { CLOSED, OPEN, SETUP, PREPARED, RUNNING };

static struct rig rig;
static uint8_t *data;

static const struct rig_params stereo = {
	.access = SND_PCM_ACCESS_RW_INTERLEAVED,
	.format = SND_PCM_FORMAT_S16_LE,
	.channels = 2, .rate = 48000, .period = 480, .buffer = 48000,
};

static void set_up(void)
{
	pcm_rig_init(&rig);
	data = NULL;
}

static void tear_down(void)
{
	pcm_rig_finish(&rig);
	free(data);
}

static int64_t counter(const char *what)
{
	return rig_stream_counter(&rig, HR_PLAYBACK, what);
}

/* ---- threads ---- */

static size_t list_tasks(pid_t tasks[static TASKS_MAX])
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	size_t n = 0;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		ck_assert_uint_lt(n, TASKS_MAX);
		tasks[n++] = (pid_t)atoi(entry->d_name);
	}
	closedir(dir);
	return n;
}

static bool is_among(pid_t task, const pid_t *tasks, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (tasks[i] == task)
			return true;
	return false;
}

static unsigned long long blocked_signals(pid_t task)
{
	unsigned long long mask = 0;
	bool found = false;
	char path[64], line[128];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/status", (int)task);
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	while (!found && fgets(line, sizeof(line), file))
		found = sscanf(line, "SigBlk: %llx", &mask) == 1;
	fclose(file);
	ck_assert(found);
	return mask;
}

static void *nothing(void *unused)
{
	return unused;
}

START_TEST(signals_of_the_program_do_not_reach_the_threads)
{
	unsigned long long own = blocked_signals(getpid());
	pid_t before[TASKS_MAX], after[TASKS_MAX];
	size_t n_before, n_after, n_new = 0;
	pthread_t first;

	/* With its first thread a program gets one of the thread sanitizer too. */
	ck_assert_int_eq(pthread_create(&first, NULL, nothing, NULL), 0);
	pthread_join(first, NULL);
	n_before = list_tasks(before);
	rig_open_headroom(&rig, _i ? SND_PCM_STREAM_CAPTURE : SND_PCM_STREAM_PLAYBACK,
			  0, "", "", &stereo);
	n_after = list_tasks(after);
	for (size_t i = 0; i < n_after; i++) {
		if (is_among(after[i], before, n_before))
			continue;
		n_new++;
		for (int signal = 1; signal < 32; signal++)
			ck_assert_msg(signal == SIGKILL || signal == SIGSTOP ||
				      blocked_signals(after[i]) >> (signal - 1) & 1,
				      "signal %d is not blocked", signal);
	}
	ck_assert_uint_eq(n_new, 2);	/* for the device, and to report */
	ck_assert_uint_eq(blocked_signals(getpid()), own);
}
END_TEST

START_TEST(parameters_set_again_and_again_leave_nothing_behind)
{
	static const unsigned int rates[] = { 48000, 96000, 44100, 8000 };
	struct rig_params params = stereo;
	unsigned int n_fds, n_tasks;

	rig_open_headroom(&rig, SND_PCM_STREAM_PLAYBACK, 0, "", "", &params);
	data = rig_noise(&rig, 8000, 61);
	n_fds = count_entries("/proc/self/fd");
	n_tasks = count_entries("/proc/self/task");
	for (size_t i = 0; i < 20; i++) {
		params.rate = rates[i % N_OF(rates)];
		rig_install(&rig, &params);
		ck_assert_int_eq(counter("Rate"), params.rate);
		rig_write(&rig, data + i * 400 * 4, 400, 400);
		ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	}
	ck_assert_uint_eq(count_entries("/proc/self/fd"), n_fds);
	assert_tasks(n_tasks);
	rig_assert_heard(&rig, data, 8000);
}
END_TEST

/* ---- a thread that is cancelled ---- */

static long write_some(snd_pcm_t *pcm) { return snd_pcm_writei(pcm, data, 9600); }
static long ask_avail(snd_pcm_t *pcm) { return snd_pcm_avail(pcm); }
static long rewind_some(snd_pcm_t *pcm) { return snd_pcm_rewind(pcm, 480); }
static long pause_it(snd_pcm_t *pcm) { return snd_pcm_pause(pcm, 1); }
static long go_on(snd_pcm_t *pcm) { return snd_pcm_pause(pcm, 0); }
static long drop_it(snd_pcm_t *pcm) { return snd_pcm_drop(pcm); }
static long prepare_it(snd_pcm_t *pcm) { return snd_pcm_prepare(pcm); }
static long start_it(snd_pcm_t *pcm) { return snd_pcm_start(pcm); }

/* In this order each has something to do. */
static long (*const quick[])(snd_pcm_t *) = {
	write_some, start_it, write_some, ask_avail, rewind_some, write_some, pause_it,
	go_on, drop_it, prepare_it, write_some, start_it,
};

static struct {
	long (*call)(snd_pcm_t *);
	pthread_t thread;
	long ret;
	bool is_back;
} cancelled;

static void *call_when_cancelled(void *unused)
{
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	pthread_cancel(pthread_self());
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	cancelled.ret = cancelled.call(rig.pcm);
	cancelled.is_back = true;
	pthread_testcancel();
	return unused;
}

/* None of these waits on a card: whoever is cancelled in one gets to its end, for it holds
 * locks. */
START_TEST(a_thread_that_is_cancelled_comes_to_the_end_of_its_call)
{
	data = calloc(9600, 4);
	rig_open_headroom(&rig, SND_PCM_STREAM_PLAYBACK, SND_PCM_NONBLOCK, "", "", &stereo);
	rig_thresholds(&rig, 48000, 0, 0);
	for (size_t i = 0; i < N_OF(quick); i++) {
		/* The I/O thread has gone to sleep. */
		rig_let_pass_ms(5);
		cancelled.call = quick[i];
		cancelled.is_back = false;
		ck_assert_int_eq(pthread_create(&cancelled.thread, NULL, call_when_cancelled,
						NULL), 0);
		ck_assert_int_eq(pthread_join(cancelled.thread, NULL), 0);
		ck_assert_msg(cancelled.is_back, "call %zu was left in its midst", i);
		ck_assert_msg(cancelled.ret >= 0, "call %zu: %s", i,
			      snd_strerror((int)cancelled.ret));
	}
}
END_TEST

/* ---- children ---- */

/* True if it exits with 0 within SOON_NS; else it is gone afterwards. */
static bool exits_soon(pid_t child)
{
	uint64_t end_ns = hr_now_ns() + SOON_NS;
	int status;

	while (hr_now_ns() < end_ns) {
		if (waitpid(child, &status, WNOHANG) == child)
			return WIFEXITED(status) && WEXITSTATUS(status) == 0;
		rig_sleep_ms(1);
	}
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	return false;
}

static pid_t fork_child(bool closes)
{
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child == 0)
		_exit(closes ? snd_pcm_close(rig.pcm) != 0 : 0);
	return child;
}

START_TEST(a_forked_child_leaves_the_stream_alone)
{
	const size_t n = 90000;

	rig_open_headroom(&rig, SND_PCM_STREAM_PLAYBACK, 0, "", "", &stereo);
	rig_thresholds(&rig, 1000, 0, 0);
	data = rig_noise(&rig, n, 62);
	rig_write(&rig, data, 30000, 30000);
	ck_assert(exits_soon(fork_child(_i)));
	rig_write(&rig, data + 30000 * 4, 30000, 777);
	ck_assert(exits_soon(fork_child(_i)));
	rig_write(&rig, data + 60000 * 4, 30000, 777);
	ck_assert_int_eq(counter("Process"), getpid());
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	rig_assert_heard(&rig, data, n);
	ck_assert_int_eq(counter("Frames"), (int64_t)n);
}
END_TEST

/* ---- killed ---- */

/* Plays, and waits for its end; its child tells that it is there, so that it has let go
 * of what is not its own, and lives as long as the test has the other end of the pipe. */
static void play_until_killed(const int told[2], const int life[2])
{
	char byte = 0;

	close(life[1]);
	ck_assert_int_eq(snd_pcm_open_lconf(&rig.pcm, "x", SND_PCM_STREAM_PLAYBACK, 0,
					    rig.config), 0);
	rig_install(&rig, &stereo);
	rig_thresholds(&rig, 0, -1, 0);
	data = rig_noise(&rig, 24000, 63);
	rig_write(&rig, data, 24000, 24000);	/* and starts */
	if (fork() == 0) {
		if (write(told[1], &byte, 1) != 1)
			_exit(1);
		while (read(life[0], &byte, 1) < 0 && errno == EINTR)
			;
		_exit(0);
	}
	for (;;)
		pause();
}

START_TEST(the_slot_of_a_killed_process_is_free_although_its_child_lives)
{
	int told[2], life[2], status;
	pid_t player;
	char byte;

	rig_open_headroom(&rig, SND_PCM_STREAM_PLAYBACK, 0, "", "", &stereo);
	ck_assert_int_eq(snd_pcm_close(rig.pcm), 0);
	rig.pcm = NULL;
	ck_assert_int_eq(pipe(told), 0);
	ck_assert_int_eq(pipe(life), 0);
	player = fork();
	ck_assert_int_ge(player, 0);
	if (player == 0)
		play_until_killed(told, life);
	close(told[1]);
	ck_assert_int_eq(read(told[0], &byte, 1), 1);
	ck_assert_int_eq(counter("State"), RUNNING);
	ck_assert_int_eq(counter("Process"), player);
	ck_assert_int_eq(kill(player, SIGKILL), 0);
	ck_assert_int_eq(waitpid(player, &status, 0), player);
	ck_assert_int_eq(counter("State"), CLOSED);
	ck_assert_int_eq(snd_pcm_open_lconf(&rig.pcm, "x", SND_PCM_STREAM_PLAYBACK, 0,
					    rig.config), 0);
	ck_assert_int_eq(counter("State"), OPEN);
	ck_assert_int_eq(counter("Process"), getpid());
	close(life[1]);
	close(life[0]);
	close(told[0]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("process");
	TCase *tcase = pcm_rig_case(suite, "threads", set_up, tear_down);

	tcase_add_loop_test(tcase, signals_of_the_program_do_not_reach_the_threads, 0, 2);
	tcase_add_test(tcase, a_thread_that_is_cancelled_comes_to_the_end_of_its_call);
	tcase_add_test(tcase, parameters_set_again_and_again_leave_nothing_behind);
	tcase = pcm_rig_case(suite, "children", set_up, tear_down);
	tcase_add_loop_test(tcase, a_forked_child_leaves_the_stream_alone, 0, 2);
	tcase = pcm_rig_case(suite, "killed", set_up, tear_down);
	tcase_add_test(tcase, the_slot_of_a_killed_process_is_free_although_its_child_lives);
	return pcm_rig_run(suite);
}
