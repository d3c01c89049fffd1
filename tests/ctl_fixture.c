/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/ctl_fixture.h"

#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include "core/clock.h"

#define STALE_MS 25	/* longer than the control device may serve old values */

#define BOOLEAN SND_CTL_ELEM_TYPE_BOOLEAN, 0, 1
#define PERCENT SND_CTL_ELEM_TYPE_INTEGER, 0, 100
#define COUNT SND_CTL_ELEM_TYPE_INTEGER, 0, INT_MAX
#define COUNT64 SND_CTL_ELEM_TYPE_INTEGER64, 0, INT64_MAX
#define ITEMS(n) SND_CTL_ELEM_TYPE_ENUMERATED, 0, (n) - 1

const struct expected expected[N_EXPECTED] = {
	{ "State", ITEMS(10), 0, "Closed,Open,Setup,Prepared,Running,XRun,"
				 "Draining,Paused,Suspended,Disconnected," },
	{ "Healthy", BOOLEAN, 1, NULL },
	{ "Fill", PERCENT, 0, NULL },
	{ "Fill Max", PERCENT, 0, NULL },
	{ "Pressure", PERCENT, 0, NULL },
	{ "Pressure State", ITEMS(2), 0, "Normal,Pressure," },
	{ "Pressure Count", COUNT, 0, NULL },
	{ "Pressure Time", COUNT, 0, NULL },
	{ "Pressure Time Now", COUNT, 0, NULL },
	{ "Chunks Pushed", COUNT64, 0, NULL },
	{ "Chunks Popped", COUNT64, 0, NULL },
	{ "Chunks Dropped", COUNT64, 0, NULL },
	{ "Frames", COUNT64, 0, NULL },
	{ "Frames Dropped", COUNT64, 0, NULL },
	{ "Frames Silence", COUNT64, 0, NULL },
	{ "Drop Rate", SND_CTL_ELEM_TYPE_INTEGER, 0, 1000000, 0, NULL },
	{ "Xruns", COUNT, 0, NULL },
	{ "Device Xruns", COUNT, 0, NULL },
	{ "Xrun Cause", ITEMS(4), 0, "None,Program,Scheduler,Device," },
	{ "Latency Avg", COUNT, 0, NULL },
	{ "Latency Min", COUNT, 0, NULL },
	{ "Latency Max", COUNT, 0, NULL },
	{ "Latency P50", COUNT, 0, NULL },
	{ "Latency P95", COUNT, 0, NULL },
	{ "Latency P99", COUNT, 0, NULL },
	{ "Wakeup Late Max", COUNT, 0, NULL },
	{ "Throughput", COUNT, 0, NULL },
	{ "Rate Measured", COUNT, 0, NULL },
	{ "Pool Hits", COUNT, 0, NULL },
	{ "Pool Misses", COUNT, 0, NULL },
	{ "Pool Size", COUNT, 0, NULL },
	{ "Realtime", SND_CTL_ELEM_TYPE_INTEGER, 0, 99, 0, NULL },
	{ "Uptime", COUNT, 0, NULL },
	{ "Process", COUNT, 0, NULL },
	{ "Rate", COUNT, 0, NULL },
	{ "Channels", COUNT, 0, NULL },
	{ "Period", COUNT, 0, NULL },
	{ "Buffer", COUNT, 0, NULL },
	{ "Trigger", SND_CTL_ELEM_TYPE_INTEGER, 2, 100, 90, NULL },
	{ "Clear", SND_CTL_ELEM_TYPE_INTEGER, 1, 99, 70, NULL },
	{ "Reset", BOOLEAN, 0, NULL },
};

bool is_setting(const char *suffix)
{
	return !strcmp(suffix, "Trigger") || !strcmp(suffix, "Clear") ||
	       !strcmp(suffix, "Reset");
}

const char *const prefix[] = {
	[HR_PLAYBACK] = "Headroom Playback ",
	[HR_CAPTURE] = "Headroom Capture ",
};

char directory[] = "/tmp/hr-test-ctl-XXXXXX";
char complaints[4096];

__attribute__((format(printf, 5, 6)))
static void keep_complaint(const char *file, int line, const char *function,
			   int err, const char *format, ...)
{
	size_t used = strlen(complaints);
	va_list args;

	(void)file;
	(void)line;
	(void)function;
	(void)err;
	va_start(args, format);
	vsnprintf(complaints + used, sizeof(complaints) - used, format, args);
	va_end(args);
}

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(setenv("HEADROOM_DIR", directory, 1), 0);
	snd_lib_error_set_handler(keep_complaint);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void remove_tree(const char *path)
{
	if (access(path, F_OK) == 0)
		ck_assert_int_eq(nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void teardown(void)
{
	remove_tree(directory);
}

int try_open(snd_ctl_t **ctlp, const char *name, const char *body)
{
	char text[1024];
	snd_config_t *root;
	snd_input_t *input;
	int n, err;

	n = snprintf(text, sizeof(text), "ctl_type.headroom { lib \"%s\" }\n"
		     "ctl.x { type headroom %s }\n", getenv("HEADROOM_CTL_LIB"), body);
	ck_assert_int_lt(n, (int)sizeof(text));
	ck_assert_int_eq(snd_config_top(&root), 0);
	ck_assert_int_eq(snd_input_buffer_open(&input, text, n), 0);
	ck_assert_int_eq(snd_config_load(root, input), 0);
	snd_input_close(input);
	err = snd_ctl_open_lconf(ctlp, name, 0, root);
	snd_config_delete(root);
	return err;
}

snd_ctl_t *open_ctl(void)
{
	snd_ctl_t *ctl;

	ck_assert_int_eq(try_open(&ctl, "x", ""), 0);
	return ctl;
}

void set_id(snd_ctl_elem_id_t *id, enum hr_direction direction,
		   unsigned int slot, const char *suffix)
{
	char name[64];

	snprintf(name, sizeof(name), "%s%s", prefix[direction], suffix);
	snd_ctl_elem_id_set_interface(id, SND_CTL_ELEM_IFACE_PCM);
	snd_ctl_elem_id_set_subdevice(id, slot);
	snd_ctl_elem_id_set_name(id, name);
}

static snd_ctl_elem_type_t type_of(const char *suffix)
{
	for (size_t i = 0; i < N_EXPECTED; i++) {
		if (!strcmp(expected[i].suffix, suffix))
			return expected[i].type;
	}
	ck_abort_msg("no element %s", suffix);
	return SND_CTL_ELEM_TYPE_NONE;
}

int64_t value_in(const snd_ctl_elem_value_t *value, snd_ctl_elem_type_t type)
{
	if (type == SND_CTL_ELEM_TYPE_INTEGER64)
		return snd_ctl_elem_value_get_integer64(value, 0);
	if (type == SND_CTL_ELEM_TYPE_ENUMERATED)
		return snd_ctl_elem_value_get_enumerated(value, 0);
	return snd_ctl_elem_value_get_integer(value, 0);
}

int64_t read_slot(snd_ctl_t *ctl, enum hr_direction direction,
			 unsigned int slot, const char *suffix)
{
	snd_ctl_elem_value_t *value;
	snd_ctl_elem_id_t *id;

	snd_ctl_elem_value_alloca(&value);
	snd_ctl_elem_id_alloca(&id);
	set_id(id, direction, slot, suffix);
	snd_ctl_elem_value_set_id(value, id);
	ck_assert_int_eq(snd_ctl_elem_read(ctl, value), 0);
	return value_in(value, type_of(suffix));
}

int64_t read_playback(snd_ctl_t *ctl, const char *suffix)
{
	return read_slot(ctl, HR_PLAYBACK, 0, suffix);
}

int write_slot(snd_ctl_t *ctl, enum hr_direction direction, unsigned int slot,
	       const char *suffix, long number)
{
	snd_ctl_elem_value_t *value;
	snd_ctl_elem_id_t *id;

	snd_ctl_elem_value_alloca(&value);
	snd_ctl_elem_id_alloca(&id);
	set_id(id, direction, slot, suffix);
	snd_ctl_elem_value_set_id(value, id);
	snd_ctl_elem_value_set_integer(value, 0, number);
	return snd_ctl_elem_write(ctl, value);
}

int write_playback(snd_ctl_t *ctl, const char *suffix, long number)
{
	return write_slot(ctl, HR_PLAYBACK, 0, suffix, number);
}

void wait_until_stale(void)
{
	poll(NULL, 0, STALE_MS);
}

unsigned int count_fds(bool *all_close_on_exec)
{
	unsigned int n = 0;

	*all_close_on_exec = true;
	for (int fd = 3; fd < 1024; fd++) {
		int flags = fcntl(fd, F_GETFD);

		if (flags < 0)
			continue;
		n++;
		if (!(flags & FD_CLOEXEC))
			*all_close_on_exec = false;
	}
	return n;
}

size_t count_address_space(void)
{
	FILE *statm = fopen("/proc/self/statm", "re");
	size_t n_pages;

	ck_assert_ptr_nonnull(statm);
	ck_assert_int_eq(fscanf(statm, "%zu", &n_pages), 1);
	fclose(statm);
	return n_pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* --- streams --- */

const char *in_directory(const char *file)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", directory, file);
	return path;
}

struct hr_page_config config_of(enum hr_direction direction)
{
	return (struct hr_page_config) {
		.name = "x",
		.direction = direction,
		.perm = 0600,
		.gid = (gid_t)-1,
		.trigger = 80,
		.clear = 60,
		.window = 128,
	};
}

struct hr_page *open_page(enum hr_direction direction, uint64_t now_ns)
{
	const struct hr_page_config config = config_of(direction);
	struct hr_page *page;

	ck_assert_int_eq(hr_page_open(&page, &config, now_ns), 0);
	return page;
}

struct hr_page *open_page_with(uint32_t trigger, uint32_t clear)
{
	struct hr_page_config config = config_of(HR_PLAYBACK);
	struct hr_page *page;

	config.trigger = trigger;
	config.clear = clear;
	ck_assert_int_eq(hr_page_open(&page, &config, hr_now_ns()), 0);
	return page;
}

struct hr_page *open_busy_page(enum hr_direction direction)
{
	static const struct { enum hr_stat stat; uint64_t value; } stats[] = {
		{ HR_STAT_STATE, HR_STATE_RUNNING },
		{ HR_STAT_REALTIME, 60 },
		{ HR_STAT_RATE, 48000 },
		{ HR_STAT_CHANNELS, 2 },
		{ HR_STAT_PERIOD, 480 },
		{ HR_STAT_BUFFER, 1920 },
		{ HR_STAT_FILL, 41 },
		{ HR_STAT_FILL_MAX, 42 },
		{ HR_STAT_PRESSURE, 43 },
		{ HR_STAT_PRESSURE_COUNT, 44 },
		{ HR_STAT_PRESSURE_NS, 2000999999 },
		{ HR_STAT_PUSHED, 5000000000 },
		{ HR_STAT_POPPED, 5000000001 },
		{ HR_STAT_FRAMES, 5000000002 },
		{ HR_STAT_DEVICE_XRUNS, 47 },
		{ HR_STAT_XRUN_CAUSE, HR_CAUSE_SCHEDULER },
		{ HR_STAT_LATE_MAX_NS, 1500 },
		{ HR_STAT_RATE_MEASURED, 47999 },
		{ HR_STAT_POOL_HITS, 48 },
		{ HR_STAT_POOL_MISSES, 49 },
		{ HR_STAT_POOL_SIZE, 50 },
	};
	uint64_t now_ns = hr_now_ns();
	struct hr_page *page = open_page(direction, now_ns - 10 * HR_NS_PER_S);
	struct hr_health *health = hr_page_health(page);

	for (size_t i = 0; i < N_ITEMS(stats); i++)
		hr_page_set(page, stats[i].stat, stats[i].value);
	for (uint64_t i = 1; i <= 100; i++)
		hr_health_chunk(health, 90, i * HR_NS_PER_MS + 499, now_ns);
	hr_health_drop(health, 1000);
	hr_health_drop_chunk(health);
	hr_health_drop_chunk(health);
	hr_health_silence(health, 52);
	hr_health_overrun(health);
	hr_health_overrun(health);
	hr_health_overrun(health);
	return page;
}

pid_t start_stream(bool under_pressure)
{
	int fds[2];
	pid_t pid;
	char byte;

	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct hr_page *page = under_pressure ?
			open_page(HR_PLAYBACK, hr_now_ns()) :
			open_busy_page(HR_PLAYBACK);

		if (under_pressure) {
			hr_health_set_pressure(hr_page_health(page), true);
			hr_page_set(page, HR_STAT_PRESSURE_SINCE_NS, hr_now_ns());
			hr_page_set(page, HR_STAT_PRESSURE_RAISED, 1);
		}
		if (write(fds[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(fds[1]);
	ck_assert_int_eq(read(fds[0], &byte, 1), 1);
	close(fds[0]);
	return pid;
}

void kill_stream(pid_t pid)
{
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

pid_t start_as_user(uid_t uid, void (*body)(void))
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		CHILD_ASSERT(setgroups(0, NULL) == 0);
		CHILD_ASSERT(setgid(uid) == 0);
		CHILD_ASSERT(setuid(uid) == 0);
		body();
		_exit(0);
	}
	return pid;
}

void as_user(uid_t uid, void (*body)(void))
{
	pid_t pid = start_as_user(uid, body);
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
		      "the child failed: status %#x", (unsigned int)status);
}

TCase *add_case(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 30);
	suite_add_tcase(suite, tcase);
	return tcase;
}

int run_suite(Suite *suite)
{
	SRunner *runner;
	int n_failed;

	if (!getenv("HEADROOM_CTL_LIB")) {
		fprintf(stderr, "HEADROOM_CTL_LIB must name the module to test\n");
		return EXIT_FAILURE;
	}
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
