/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Every call that the modules make of libc and of alsa-lib while a stream is opened, set
 * up and prepared, or counters are opened and read, fails once: the first alone, the
 * second alone, …; and then each with all that come after it. Either the stream is as
 * good as ever or the program gets that very error; nothing of what the module was given
 * is kept, and the next stream is a sound one.
 *
 * Each in a process of its own, which has never had a stream before.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "tests/hostile/imports.h"
#include "tests/lines.h"
#include "tests/pcm_rig.h"
#include "tests/threads.h"

#define CALLS_MAX 1000		/* far more than there are */
#define SLICES 4		/* of the calls: so many tests may run at a time */
#define FRAMES 480

static struct rig rig;
static const char *only;	/* calls by that name, NULL: all */

static const struct rig_params quick = {
	.access = SND_PCM_ACCESS_RW_INTERLEAVED, .format = SND_PCM_FORMAT_S16_LE,
	.channels = 2, .rate = 192000, .period = 96, .buffer = 960,
};

static const struct {
	snd_pcm_stream_t stream;
	const char *keys;
} kinds[] = {
	{ SND_PCM_STREAM_PLAYBACK, "" },
	{ SND_PCM_STREAM_CAPTURE, "" },
	{ SND_PCM_STREAM_PLAYBACK, "on_device_loss reconnect" },
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

/* What alsa-lib's own snd_pcm_set_params() does, of which every call may fail. */
static int try_to_install(snd_pcm_t *pcm)
{
	snd_pcm_hw_params_t *hw;
	int err;

	snd_pcm_hw_params_alloca(&hw);
	if ((err = snd_pcm_hw_params_any(pcm, hw)) < 0 ||
	    (err = snd_pcm_hw_params_set_access(pcm, hw, quick.access)) < 0 ||
	    (err = snd_pcm_hw_params_set_format(pcm, hw, quick.format)) < 0 ||
	    (err = snd_pcm_hw_params_set_channels(pcm, hw, quick.channels)) < 0 ||
	    (err = snd_pcm_hw_params_set_rate(pcm, hw, quick.rate, 0)) < 0 ||
	    (err = snd_pcm_hw_params_set_period_size(pcm, hw, quick.period, 0)) < 0 ||
	    (err = snd_pcm_hw_params_set_buffer_size(pcm, hw, quick.buffer)) < 0)
		return err;
	return snd_pcm_hw_params(pcm, hw);	/* which prepares */
}

/* A card without a supply gives each frame its number. */
static void assert_numbered(const uint8_t *got)
{
	uint32_t first, frame;

	memcpy(&first, got, sizeof(first));
	for (uint32_t i = 0; i < FRAMES; i++) {
		memcpy(&frame, got + i * sizeof(frame), sizeof(frame));
		ck_assert_uint_eq(frame, first + i);
	}
}

/* Sound goes through it, all of it and nothing else. */
static void use_stream(void)
{
	uint8_t *data = rig_noise(&rig, FRAMES, 7);
	uint8_t *got = calloc(FRAMES, rig.frame_bytes);

	ck_assert_ptr_nonnull(got);
	if (snd_pcm_stream(rig.pcm) == SND_PCM_STREAM_PLAYBACK) {
		rig_write(&rig, data, FRAMES, 200);
		ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
		rig_assert_heard(&rig, data, FRAMES);
	} else {
		rig_read(&rig, got, FRAMES);
		assert_numbered(got);
	}
	free(data);
	free(got);
}

static void close_stream(void)
{
	if (rig.pcm)
		ck_assert_int_eq(snd_pcm_close(rig.pcm), 0);
	rig.pcm = NULL;
}

/* True if a call did fail. */
static bool open_stream_that_fails(const char *keys, snd_pcm_stream_t stream, bool onwards)
{
	const char *name;
	int err;

	err = rig.config ? snd_pcm_open_lconf(&rig.pcm, "x", stream, 0, rig.config) :
			   rig_try_open_headroom(&rig, stream, 0, "", keys);
	if (err == 0)
		err = try_to_install(rig.pcm);
	name = imports_failed();
	ck_assert_msg(err == 0 || imports_failed_with(-err), "%s failed, the program got %s: %s",
		      name ? name : "none", snd_strerror(err), lines);
	ck_assert_msg(onwards || n_lines <= 1, "%u lines: %s", n_lines, lines);
	imports_fail(0, false, NULL);
	if (err == 0)
		use_stream();
	close_stream();
	return name != NULL;
}

/* The n-th call fails. True if there were so many. */
static bool fail_stream(int kind, unsigned int n, bool onwards)
{
	unsigned int fds = count_entries("/proc/self/fd"), tasks = count_entries("/proc/self/task");
	bool failed;

	rig.params = quick;
	rig.frame_bytes = 4;
	imports_fail(n, onwards, only);
	failed = open_stream_that_fails(kinds[kind].keys, kinds[kind].stream, onwards);
	ck_assert_int_eq(imports_held(), 0);
	ck_assert_uint_eq(count_entries("/proc/self/fd"), fds);
	assert_tasks(tasks);
	lines[0] = '\0';
	n_lines = 0;
	ck_assert_int_eq(snd_pcm_open_lconf(&rig.pcm, "x", kinds[kind].stream, 0, rig.config),
			 0);
	rig_install(&rig, &quick);
	use_stream();
	close_stream();
	ck_assert_msg(n_lines == 0, "%s", lines);
	return failed;
}

/* One in `step` calls, from the first on. 2 from a child: there are not so many calls. */
static void fail_each(bool (*one)(int, unsigned int, bool), int kind, bool onwards,
		      unsigned int first, unsigned int step)
{
	int status = 0;

	for (unsigned int n = first; n < CALLS_MAX; n += step) {
		pid_t child = fork();

		ck_assert_int_ge(child, 0);
		if (child == 0) {
			alarm(20);
			_exit(one(kind, n, onwards) ? 0 : 2);
		}
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
			return;
		ck_assert_msg(status == 0, "call %u: wait status %#x", n,
			      (unsigned int)status);
	}
	ck_abort_msg("more calls than can be");
}

/* ---- counters ---- */

/* All that a mixer does at first. Returns 0, or the first error. */
static int use_counters(void)
{
	snd_ctl_elem_value_t *value;
	snd_ctl_elem_list_t *list;
	snd_ctl_event_t *event;
	snd_ctl_elem_id_t *id;
	snd_ctl_t *ctl = NULL;
	int err = snd_ctl_open_lconf(&ctl, "x", SND_CTL_NONBLOCK, rig.config);

	snd_ctl_elem_value_alloca(&value);
	snd_ctl_elem_list_alloca(&list);
	snd_ctl_event_alloca(&event);
	snd_ctl_elem_id_alloca(&id);
	if (err < 0)
		return err;
	err = snd_ctl_elem_list(ctl, list);
	ck_assert_int_eq(err, 0);
	ck_assert_uint_eq(snd_ctl_elem_list_get_count(list), 2 * 41);
	/* Of playback and of capture, which are read as a whole. */
	for (unsigned int i = 1; i <= 2 * 41 && err >= 0; i += 41) {
		snd_ctl_elem_value_set_numid(value, i);
		err = snd_ctl_elem_read(ctl, value);
	}
	/* Whatever fails then is done without: by looking. */
	ck_assert_int_eq(snd_ctl_subscribe_events(ctl, 1), 0);
	while (snd_ctl_read(ctl, event) > 0)
		;
	if (err >= 0) {
		snd_ctl_elem_id_set_interface(id, SND_CTL_ELEM_IFACE_PCM);
		snd_ctl_elem_id_set_name(id, "Headroom Playback Trigger");
		snd_ctl_elem_value_clear(value);
		snd_ctl_elem_value_set_id(value, id);
		snd_ctl_elem_value_set_integer(value, 0, 95);
		err = snd_ctl_elem_write(ctl, value);
	}
	ck_assert_int_eq(snd_ctl_close(ctl), 0);
	return err < 0 ? err : 0;
}

static void load_config(void)
{
	ck_assert_int_eq(rig_try_open_defined(&rig, "nothing", "pcm.nothing { type null }",
					      SND_PCM_STREAM_PLAYBACK, 0, ""), 0);
	close_stream();
}

/* _i: whether a stream has left a page. */
static bool fail_counters(int with_page, unsigned int n, bool onwards)
{
	unsigned int fds = count_entries("/proc/self/fd");
	const char *name;
	int err;

	imports_fail(0, false, NULL);
	if (with_page)
		ck_assert_int_eq(use_counters(), 0);	/* a setting makes one */
	n_lines = 0;
	imports_fail(n, onwards, only);
	err = use_counters();
	name = imports_failed();
	/* One that cannot even be looked for is not there. */
	ck_assert_msg(err == 0 || imports_failed_with(-err) || (onwards && err == -ENOENT),
		      "%s failed, the program got %s: %s", name ? name : "none", snd_strerror(err), lines);
	ck_assert_msg(n_lines <= 1, "%u lines: %s", n_lines, lines);
	imports_fail(0, false, NULL);
	ck_assert_int_eq(imports_held(), 0);
	ck_assert_uint_eq(count_entries("/proc/self/fd"), fds);
	ck_assert_int_eq(use_counters(), 0);
	ck_assert_int_eq(imports_held(), 0);
	return name != NULL;
}

static void take(const char *module)
{
	const char *path = getenv(module);

	ck_assert_msg(path != NULL, "%s is not set", module);
	ck_assert_uint_gt(imports_take(path), 20);
}

START_TEST(each_call_of_a_stream_fails_alone)
{
	take("HEADROOM_PCM_LIB");
	fail_each(fail_stream, _i / SLICES, false, 1 + (unsigned int)_i % SLICES, SLICES);
}
END_TEST

START_TEST(from_each_call_of_a_stream_on_all_fail)
{
	take("HEADROOM_PCM_LIB");
	fail_each(fail_stream, _i / SLICES, true, 1 + (unsigned int)_i % SLICES, SLICES);
}
END_TEST

/* Those of which there are many are the same again for each slot that there may be: of
 * these some will do. */
static const struct {
	const char *name;
	unsigned int step;
} calls[] = {
	{ "calloc", 1 }, { "timerfd_create", 1 }, { "epoll_create1", 1 }, { "epoll_ctl", 1 },
	{ "snd_ctl_ext_create", 1 }, { "inotify_init1", 1 }, { "inotify_add_watch", 1 },
	{ "timerfd_settime", 1 }, { "mmap", 1 }, { "mkdir", 1 }, { "ftruncate", 1 },
	{ "pwrite", 1 }, { "linkat", 1 }, { "getrlimit", 1 }, { "pread", 5 }, { "fcntl", 5 },
	{ "open", 17 }, { "openat", 17 }, { "fstat", 17 }, { "fstatat", 17 },
};

START_TEST(each_call_of_counters_fails)		/* _i: call, page, onwards */
{
	only = calls[_i / 4].name;
	take("HEADROOM_CTL_LIB");
	load_config();
	fail_each(fail_counters, _i & 1, _i & 2, 1, calls[_i / 4].step);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("failing");
	TCase *tcase = pcm_rig_case(suite, "streams", set_up, tear_down);

	tcase_add_loop_test(tcase, each_call_of_a_stream_fails_alone, 0,
			    (int)N_OF(kinds) * SLICES);
	tcase_add_loop_test(tcase, from_each_call_of_a_stream_on_all_fail, 0,
			    (int)N_OF(kinds) * SLICES);
	tcase = pcm_rig_case(suite, "counters", set_up, tear_down);
	tcase_add_loop_test(tcase, each_call_of_counters_fails, 0,
			    4 * (int)N_OF(calls));
	return pcm_rig_run(suite);
}
