/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What those who watch are told while a stream runs, what they may set, and what it
 * costs the stream's process.
 */
#include <dirent.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/health_page.h"
#include "tests/pcm_rig.h"

#define SOON_NS (100 * HR_NS_PER_MS)	/* what is promised */
#define LATE_NS (30 * HR_NS_PER_S)	/* what a noisy machine may take */

static struct rig rig;
static snd_ctl_t *watch;
static const struct rig_params stereo = {
	.access = SND_PCM_ACCESS_RW_INTERLEAVED,
	.format = SND_PCM_FORMAT_S16_LE,
	.channels = 2, .rate = 48000, .period = 480, .buffer = 9600,
};

static void set_up(void)
{
	pcm_rig_init(&rig);
	watch = NULL;
}

static void tear_down(void)
{
	if (watch)
		snd_ctl_close(watch);
	pcm_rig_finish(&rig);
}

/* Open the stream once, for its definitions, and begin to watch. */
static void begin(snd_pcm_stream_t stream, const char *keys)
{
	rig_be_commanded(&rig);
	ck_assert_int_eq(rig_try_open_headroom(&rig, stream, 0, "", keys), 0);
	ck_assert_int_eq(snd_ctl_open_lconf(&watch, "x", SND_CTL_NONBLOCK, rig.config), 0);
	ck_assert_int_eq(snd_ctl_subscribe_events(watch, 1), 0);
}

static void open_again(snd_pcm_stream_t stream)
{
	ck_assert_int_eq(snd_pcm_open_lconf(&rig.pcm, "x", stream, 0, rig.config), 0);
}

static void close_pcm(void)
{
	ck_assert_int_eq(snd_pcm_close(rig.pcm), 0);
	rig.pcm = NULL;
}

/* --- waiting --- */

static FILE *open_task_file(pid_t task, const char *file)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/%s", (int)task, file);
	return fopen(path, "r");
}

/* How long the threads of this process were ready and not let run, all together; 0 where
 * the kernel does not say. */
static uint64_t held_up_ns(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	uint64_t sum = 0;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir))) {
		FILE *file = open_task_file(atoi(entry->d_name), "schedstat");
		uint64_t ns;

		if (file && fscanf(file, "%*u %" SCNu64, &ns) == 1)
			sum += ns;
		if (file)
			fclose(file);
	}
	closedir(dir);
	return sum;
}

/* The counters of a stream have events all the time: they are no reason to wait on. */
static bool wait_for_event(uint64_t until_ns)
{
	uint64_t now_ns = hr_now_ns();
	struct pollfd fd;

	ck_assert_int_eq(snd_ctl_poll_descriptors(watch, &fd, 1), 1);
	return now_ns < until_ns &&
	       poll(&fd, 1, (int)((until_ns - now_ns) / HR_NS_PER_MS) + 1) == 1;
}

static uint64_t time_since(uint64_t begun_ns, uint64_t held_up_before_ns)
{
	uint64_t took_ns = hr_now_ns() - begun_ns, is_ns = held_up_ns();
	/* A thread that has ended is not counted any more. */
	uint64_t held_ns = is_ns > held_up_before_ns ? is_ns - held_up_before_ns : 0;

	return took_ns > held_ns ? took_ns - held_ns : 0;
}

/*
 * Wait for the event of an element, and nothing less. Returns how long it took, without
 * what the machine held us up.
 *
 * An event says that something is new, not what: of a value that comes and goes before
 * it was seen there is none, or one that shows the next. So value must be one that stays,
 * however slow the machine, and be the only change since the last such wait.
 */
static uint64_t await(const char *name, int64_t value)
{
	uint64_t begun_ns = hr_now_ns(), held_up_before_ns = held_up_ns();
	snd_ctl_event_t *event;

	snd_ctl_event_alloca(&event);
	while (wait_for_event(begun_ns + LATE_NS)) {
		while (snd_ctl_read(watch, event) == 1) {
			if (!strcmp(snd_ctl_event_elem_get_name(event), name) &&
			    rig_counter(&rig, name) == value)
				return time_since(begun_ns, held_up_before_ns);
		}
	}
	ck_abort_msg("no event of %s %lld, which is %lld", name, (long long)value,
		     (long long)rig_counter(&rig, name));
	return 0;
}

/* Run on ten periods of sound on a card that stands still: nothing moves until it is
 * let go, least of all into an xrun. */
static void run_still(void)
{
	uint8_t *data = rig_noise(&rig, 4800, 1);

	RIG_COMMAND(&rig, still, 1);
	rig_write(&rig, data, 4800, 4800);
	free(data);
}

#define PLAYBACK "Headroom Playback "

static void note(uint64_t *best_ns, uint64_t took_ns)
{
	if (took_ns < *best_ns)
		*best_ns = took_ns;
}

START_TEST(every_state_is_told_at_once)
{
	uint64_t best_ns[6];

	memset(best_ns, 0xff, sizeof(best_ns));
	begin(SND_PCM_STREAM_PLAYBACK, "");
	close_pcm();
	await(PLAYBACK "State", HR_STATE_CLOSED);
	for (int i = 0; i < 5; i++) {
		open_again(SND_PCM_STREAM_PLAYBACK);
		note(&best_ns[0], await(PLAYBACK "State", HR_STATE_OPEN));
		rig_install(&rig, &stereo);
		note(&best_ns[1], await(PLAYBACK "State", HR_STATE_PREPARED));
		run_still();
		note(&best_ns[2], await(PLAYBACK "State", HR_STATE_RUNNING));
		RIG_COMMAND(&rig, still, 0);
		/* The sound lasts for 100 ms. */
		note(&best_ns[3], await(PLAYBACK "State", HR_STATE_XRUN));
		ck_assert_int_eq(snd_pcm_hw_free(rig.pcm), 0);
		note(&best_ns[4], await(PLAYBACK "State", HR_STATE_OPEN));
		close_pcm();
		note(&best_ns[5], await(PLAYBACK "State", HR_STATE_CLOSED));
	}
	for (int i = 0; i < 6; i++)
		ck_assert_uint_lt(best_ns[i], i == 3 ? 2 * SOON_NS : SOON_NS);
}
END_TEST

START_TEST(an_xrun_is_told)
{
	uint8_t *data;

	begin(SND_PCM_STREAM_PLAYBACK, "");
	rig_install(&rig, &stereo);
	data = rig_noise(&rig, 4800, 1);
	rig_write(&rig, data, 4800, 4800);
	await(PLAYBACK "Xruns", 1);
	ck_assert_int_eq(rig_counter(&rig, PLAYBACK "Healthy"), 0);
	free(data);
}
END_TEST

/* --- settings --- */

static void set(const char *name, long value)
{
	snd_ctl_elem_value_t *elem;
	snd_ctl_t *ctl;

	snd_ctl_elem_value_alloca(&elem);
	ck_assert_int_eq(snd_ctl_open_lconf(&ctl, "x", 0, rig.config), 0);
	snd_ctl_elem_value_set_interface(elem, SND_CTL_ELEM_IFACE_PCM);
	snd_ctl_elem_value_set_name(elem, name);
	snd_ctl_elem_value_set_integer(elem, 0, value);
	ck_assert_int_ge(snd_ctl_elem_write(ctl, elem), 0);
	snd_ctl_close(ctl);
}

/* The pressure is that of a buffer half full, between the thresholds or below both. */
START_TEST(a_threshold_counts_at_once_in_a_running_stream)
{
	uint64_t best_ns[3];

	memset(best_ns, 0xff, sizeof(best_ns));
	begin(SND_PCM_STREAM_PLAYBACK, "");
	rig_install(&rig, &stereo);
	run_still();
	while (rig_counter(&rig, PLAYBACK "Pressure") != 50)
		rig_sleep_ms(1);
	ck_assert_int_eq(rig_counter(&rig, PLAYBACK "Pressure State"), 0);
	for (int i = 0; i < 5; i++) {
		set(PLAYBACK "Clear", 30 + i);
		note(&best_ns[0], await(PLAYBACK "Clear", 30 + i));
	}
	for (int i = 0; i < 5; i++) {
		set(PLAYBACK "Clear", 30);
		set(PLAYBACK "Trigger", 50);
		note(&best_ns[1], await(PLAYBACK "Pressure State", 1));
		set(PLAYBACK "Trigger", 90);
		set(PLAYBACK "Clear", 50);
		note(&best_ns[2], await(PLAYBACK "Pressure State", 0));
	}
	for (int i = 0; i < 3; i++)
		ck_assert_uint_lt(best_ns[i], SOON_NS);
	ck_assert_int_eq(rig_counter(&rig, PLAYBACK "State"), HR_STATE_RUNNING);
}
END_TEST

/* On a machine that holds it up there are xruns; the stream goes on after them. */
static void *keep_writing(void *arg)
{
	const _Atomic bool *stop = arg;
	uint8_t silence[480 * 4] = { 0 };

	while (!*stop) {
		if (snd_pcm_writei(rig.pcm, silence, 480) < 0)
			snd_pcm_prepare(rig.pcm);
	}
	return NULL;
}

/* While the card stands still, no more is counted than it takes: a buffer, and another
 * after an xrun. */
START_TEST(a_reset_zeroes_a_running_stream_which_counts_on)
{
	_Atomic bool stop = false;
	pthread_t writer;

	begin(SND_PCM_STREAM_PLAYBACK, "");
	rig_install(&rig, &stereo);
	ck_assert_int_eq(pthread_create(&writer, NULL, keep_writing, &stop), 0);
	while (rig_counter(&rig, PLAYBACK "Frames") < 24000)
		rig_sleep_ms(1);
	RIG_COMMAND(&rig, still, 1);
	set(PLAYBACK "Reset", 1);
	ck_assert_int_lt(rig_counter(&rig, PLAYBACK "Frames"), 24000);
	ck_assert_int_eq(rig_counter(&rig, PLAYBACK "Reset"), 0);
	RIG_COMMAND(&rig, still, 0);
	while (rig_counter(&rig, PLAYBACK "Frames") < 24000)
		rig_sleep_ms(1);
	stop = true;
	pthread_join(writer, NULL);
}
END_TEST

START_TEST(thresholds_are_remembered_for_the_next_stream)
{
	begin(SND_PCM_STREAM_CAPTURE, "trigger 80 clear 60");
	set("Headroom Capture Clear", 20);
	set("Headroom Capture Trigger", 40);
	close_pcm();
	open_again(SND_PCM_STREAM_CAPTURE);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Capture Trigger"), 40);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Capture Clear"), 20);
	close_pcm();
	snd_config_delete(rig.config);
	ck_assert_int_eq(rig_try_open_headroom(&rig, SND_PCM_STREAM_CAPTURE, 0, "",
					       "trigger 81 clear 60"), 0);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Capture Trigger"), 81);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Capture Clear"), 60);
}
END_TEST

/* --- the reporter --- */

static pid_t find_reporter(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	pid_t found = 0;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir))) {
		char name[32] = "";
		FILE *file = open_task_file(atoi(entry->d_name), "comm");

		if (file && fgets(name, sizeof(name), file) &&
		    !strcmp(name, "headroom-report\n"))
			found = atoi(entry->d_name);
		if (file)
			fclose(file);
	}
	closedir(dir);
	return found;
}

/* The thread names itself when it first runs. */
static pid_t reporter(void)
{
	pid_t task;

	while (!(task = find_reporter()))
		rig_sleep_ms(1);
	return task;
}

static long wakeups_of(pid_t task)
{
	FILE *file = open_task_file(task, "status");
	long times = -1;
	char line[128];

	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file))
		sscanf(line, "voluntary_ctxt_switches: %ld", &times);
	fclose(file);
	ck_assert_int_ge(times, 0);
	return times;
}

static long wakeups_when_quiet(pid_t task)
{
	long before, now = wakeups_of(task);

	do {
		before = now;
		rig_let_pass_ms(300);
		now = wakeups_of(task);
	} while (now != before);
	return now;
}

START_TEST(the_reporter_sleeps_while_nothing_happens)
{
	_Atomic bool stop = false;
	pthread_t writer;
	long before, after;

	begin(SND_PCM_STREAM_PLAYBACK, "");
	rig_install(&rig, &stereo);
	run_still();
	ck_assert_int_eq(pthread_create(&writer, NULL, keep_writing, &stop), 0);
	await(PLAYBACK "State", HR_STATE_RUNNING);
	before = wakeups_when_quiet(reporter());
	RIG_COMMAND(&rig, still, 0);
	while (rig_counter(&rig, PLAYBACK "Frames") < 96000)
		rig_sleep_ms(10);
	after = wakeups_of(reporter());
	/* Unless there was something to tell, on a machine that held the writer up. */
	if (rig_counter(&rig, PLAYBACK "Healthy") &&
	    rig_counter(&rig, PLAYBACK "Pressure Count") == 0)
		ck_assert_int_eq(after, before);
	stop = true;
	pthread_join(writer, NULL);
}
END_TEST

START_TEST(the_reporter_is_ordinary_in_a_real_time_program)
{
	const struct sched_param real_time = { .sched_priority = 10 };
	const struct sched_param none = { .sched_priority = 0 };

	/* Without the right to it there is nothing to inherit. */
	if (sched_setscheduler(0, SCHED_FIFO, &real_time) < 0)
		return;
	begin(SND_PCM_STREAM_PLAYBACK, "");
	ck_assert_int_eq(sched_setscheduler(0, SCHED_OTHER, &none), 0);
	ck_assert_int_eq(sched_getscheduler(reporter()), SCHED_OTHER);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("events");
	TCase *tcase = pcm_rig_case(suite, "events", set_up, tear_down);

	tcase_add_test(tcase, every_state_is_told_at_once);
	tcase_add_test(tcase, an_xrun_is_told);
	tcase = pcm_rig_case(suite, "settings", set_up, tear_down);
	tcase_add_test(tcase, a_threshold_counts_at_once_in_a_running_stream);
	tcase_add_test(tcase, a_reset_zeroes_a_running_stream_which_counts_on);
	tcase_add_test(tcase, thresholds_are_remembered_for_the_next_stream);
	tcase = pcm_rig_case(suite, "reporter", set_up, tear_down);
	tcase_add_test(tcase, the_reporter_sleeps_while_nothing_happens);
	tcase_add_test(tcase, the_reporter_is_ordinary_in_a_real_time_program);
	return pcm_rig_run(suite);
}
