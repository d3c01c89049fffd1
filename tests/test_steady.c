/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A stream that runs allocates nothing, in no thread, and its I/O thread takes no
 * page fault. The allocator's functions are replaced by ones that count; not for
 * builds with sanitizers, which replace them too.
 */
#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/pcm_rig.h"

/* ---- the allocator, counted ---- */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t align, size_t size);
extern void __libc_free(void *old);

static _Atomic bool counting;
static _Atomic unsigned int n_calls;
static void *_Atomic last_caller;

static void count_call(void *caller)
{
	if (!atomic_load(&counting))
		return;
	atomic_fetch_add(&n_calls, 1);
	atomic_store(&last_caller, caller);
}

void *malloc(size_t size)
{
	count_call(__builtin_return_address(0));
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	count_call(__builtin_return_address(0));
	return __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
	count_call(__builtin_return_address(0));
	return __libc_realloc(old, size);
}

void *aligned_alloc(size_t align, size_t size)
{
	count_call(__builtin_return_address(0));
	return __libc_memalign(align, size);
}

int posix_memalign(void **result, size_t align, size_t size)
{
	count_call(__builtin_return_address(0));
	*result = __libc_memalign(align, size);
	return *result ? 0 : ENOMEM;
}

void free(void *old)
{
	if (old)
		count_call(__builtin_return_address(0));
	__libc_free(old);
}

void *mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset)
{
	count_call(__builtin_return_address(0));
	return (void *)syscall(SYS_mmap, at, size, prot, flags, fd, offset);
}

/* ---- page faults of the other thread ---- */

static bool is_io_thread(long tid)
{
	char path[64], name[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%ld/comm", tid);
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(fgets(name, sizeof(name), file));
	fclose(file);
	return strcmp(name, "headroom-io\n") == 0;
}

static long find_io_thread(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	long tid, found = 0;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir))) {
		tid = atol(entry->d_name);
		if (tid > 0 && is_io_thread(tid)) {
			ck_assert_int_eq(found, 0);
			found = tid;
		}
	}
	closedir(dir);
	ck_assert_int_gt(found, 0);
	return found;
}

static long faults_of(long tid)
{
	char path[64], line[512], *rest;
	long minor, major;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%ld/stat", tid);
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(fgets(line, sizeof(line), file));
	fclose(file);
	rest = strrchr(line, ')');	/* behind the name, whatever is in it */
	ck_assert_ptr_nonnull(rest);
	ck_assert_int_eq(sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %ld %*u %ld",
				&minor, &major), 2);
	return minor + major;
}

/* ---- tests ---- */

#define PERIOD 240u
#define WARM_UP 300		/* periods: more than the buffer has */
#define STEADY 300

static struct rig rig;
static int32_t sound[4 * PERIOD];

static const struct rig_params mono = {
	.access = SND_PCM_ACCESS_RW_INTERLEAVED, .format = SND_PCM_FORMAT_S32_LE,
	.channels = 1, .rate = 96000, .period = PERIOD, .buffer = 200 * PERIOD,
};

static void set_up(void)
{
	pcm_rig_init(&rig);
}

static void tear_down(void)
{
	pcm_rig_finish(&rig);
}

START_TEST(the_hook_counts_what_the_library_allocates)
{
	snd_pcm_info_t *info;
	void *map;

	ck_assert_int_eq(snd_pcm_info_malloc(&info), 0);
	snd_pcm_info_free(info);
	ck_assert_uint_eq(atomic_load(&n_calls), 0);
	atomic_store(&counting, true);
	snd_pcm_info_malloc(&info);
	snd_pcm_info_free(info);
	map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	atomic_store(&counting, false);
	munmap(map, 4096);
	ck_assert_uint_eq(atomic_load(&n_calls), 3);
}
END_TEST

/* Move n periods, in pieces of differing size, and wait as asked. No call of
 * Check's in here: they allocate. Returns 0 or -errno. */
static int move(snd_pcm_stream_t stream, int n, bool by_wait)
{
	for (size_t left = (size_t)n * PERIOD; left > 0;) {
		size_t want = 1 + left % (2 * PERIOD);
		snd_pcm_sframes_t done;

		if (want > left)
			want = left;
		if (by_wait && (done = snd_pcm_wait(rig.pcm, -1)) < 0)
			return (int)done;
		done = stream == SND_PCM_STREAM_PLAYBACK ?
		       snd_pcm_writei(rig.pcm, sound, want) :
		       snd_pcm_readi(rig.pcm, sound, want);
		if (done < 0 && done != -EAGAIN)
			return (int)done;
		if (done > 0)
			left -= (size_t)done;
	}
	return 0;
}

/* A machine so slow that the stream breaks off is not in a steady state. */
static void move_until_steady(snd_pcm_stream_t stream, bool by_wait, long *faults,
			      unsigned int *calls)
{
	long tid = find_io_thread();

	ck_assert_int_gt(faults_of(tid), 0);	/* it took some to get here */
	for (;;) {
		int err;

		ck_assert_int_eq(move(stream, WARM_UP, by_wait), 0);
		*faults = faults_of(tid);
		atomic_store(&n_calls, 0);
		atomic_store(&counting, true);
		err = move(stream, STEADY, by_wait);
		atomic_store(&counting, false);
		*calls = atomic_load(&n_calls);
		*faults = faults_of(tid) - *faults;
		if (err == 0)
			return;
		ck_assert_int_eq(err, -EPIPE);
		ck_assert_int_eq(snd_pcm_prepare(rig.pcm), 0);
	}
}

START_TEST(a_stream_that_runs_allocates_nothing_and_takes_no_page_fault)
{
	snd_pcm_stream_t stream = _i & 1 ? SND_PCM_STREAM_CAPTURE :
					   SND_PCM_STREAM_PLAYBACK;
	bool by_wait = _i & 2;
	unsigned int calls;
	long faults;

	rig_open_headroom(&rig, stream, by_wait ? SND_PCM_NONBLOCK : 0, "", "", &mono);
	if (stream == SND_PCM_STREAM_CAPTURE)
		ck_assert_int_eq(snd_pcm_start(rig.pcm), 0);
	else
		rig_thresholds(&rig, (long)mono.buffer / 2, 0, 0);
	move_until_steady(stream, by_wait, &faults, &calls);
	ck_assert_msg(calls == 0, "%u calls of the allocator, the last from %p", calls,
		      atomic_load(&last_caller));
	ck_assert_int_eq(faults, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("steady");
	TCase *tcase = pcm_rig_case(suite, "steady", set_up, tear_down);

	tcase_add_test(tcase, the_hook_counts_what_the_library_allocates);
	tcase_add_loop_test(tcase,
		a_stream_that_runs_allocates_nothing_and_takes_no_page_fault, 0, 4);
	return pcm_rig_run(suite);
}
