/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Children of a program that plays: forked from another thread, with and without exec, by
 * the hundred; children that use the stream as if it were theirs; and a program that puts
 * another in its own place. The parent's stream goes on as if there were none.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/pcm_rig.h"

#define FRAMES 48000
#define CHILDREN 60

extern char **environ;

static struct rig rig;
static uint8_t *data;
static _Atomic int n_done, n_wrong;

static const struct rig_params stereo = {
	.access = SND_PCM_ACCESS_RW_INTERLEAVED, .format = SND_PCM_FORMAT_S16_LE,
	.channels = 2, .rate = 96000, .period = 480, .buffer = 9600,
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

static void say_nothing(const char *file, int line, const char *function, int err,
			const char *format, ...)
{
	(void)file, (void)line, (void)function, (void)err, (void)format;
}

static bool dump_names_the_device(void)
{
	snd_output_t *out;
	bool is_named;
	char *text;

	if (snd_output_buffer_open(&out) < 0)
		return true;
	snd_pcm_dump(rig.pcm, out);
	snd_output_putc(out, '\0');
	snd_output_buffer_string(out, &text);
	is_named = !strstr(text, "Slave: another process's");
	snd_output_close(out);
	return is_named;
}

/* Each call of a stream that is another process's: not one may hang or crash, nor reach
 * the parent. What it returns is alsa-lib's business as much as ours; but nothing may
 * claim to have played. */
static int use_as_ones_own(void)
{
	static const snd_pcm_chmap_t none = { .channels = 0 };
	snd_pcm_status_t *status;
	snd_pcm_sframes_t delay;
	struct pollfd fds[8];
	int16_t frames[2 * 480] = { 0 };
	unsigned short revents;
	int n;

	snd_pcm_status_alloca(&status);
	alarm(20);
	snd_lib_error_set_handler(say_nothing);
	if (snd_pcm_nonblock(rig.pcm, 1) < 0)
		return 1;
	for (int i = 0; i < 50; i++) {
		if (snd_pcm_writei(rig.pcm, frames, 480) >= 0)
			return 2;
	}
	snd_pcm_avail(rig.pcm);
	snd_pcm_avail_update(rig.pcm);
	snd_pcm_delay(rig.pcm, &delay);
	snd_pcm_status(rig.pcm, status);
	snd_pcm_state(rig.pcm);
	n = snd_pcm_poll_descriptors(rig.pcm, fds, 8);
	if (n > 0 && poll(fds, (nfds_t)n, 0) >= 0)
		snd_pcm_poll_descriptors_revents(rig.pcm, fds, (unsigned int)n, &revents);
	snd_pcm_wait(rig.pcm, 1);
	snd_pcm_rewind(rig.pcm, 100);
	snd_pcm_forward(rig.pcm, 100);
	snd_pcm_resume(rig.pcm);
	if (snd_pcm_pause(rig.pcm, 1) >= 0 || snd_pcm_start(rig.pcm) >= 0)
		return 6;
	snd_pcm_reset(rig.pcm);
	if (snd_pcm_drain(rig.pcm) >= 0)
		return 7;
	snd_pcm_drop(rig.pcm);
	if (snd_pcm_prepare(rig.pcm) != -EBADFD)
		return 8;
	/* Whoever asks the device for these may wait for a lock that no one gives back. */
	if (snd_pcm_query_chmaps(rig.pcm) || snd_pcm_get_chmap(rig.pcm) ||
	    snd_pcm_set_chmap(rig.pcm, &none) != -EBADFD)
		return 4;
	if (dump_names_the_device())
		return 5;
	snd_pcm_hw_free(rig.pcm);
	if (snd_pcm_set_params(rig.pcm, stereo.format, stereo.access, 2, 48000, 0, 50000) >= 0)
		return 3;
	return 0;
}

static int child_of(int kind)
{
	switch (kind) {
	case 0:
		return 0;
	case 1:
		return snd_pcm_close(rig.pcm) != 0;
	default:
		kind = use_as_ones_own();
		snd_pcm_close(rig.pcm);
		return kind;
	}
}

static int spawn_true(void)
{
	char *argv[] = { (char[]){ "true" }, NULL };
	pid_t child;
	int status = -1;

	if (posix_spawnp(&child, "true", NULL, NULL, argv, environ) != 0)
		return -1;
	return waitpid(child, &status, 0) == child ? status : -1;
}

/* Three that fork and two that run another program, in turn. */
static void *have_children(void *unused)
{
	for (int n = 0; n < CHILDREN; n++) {
		int kind = n % 5, status = -1;
		pid_t child;

		if (kind == 3) {
			status = spawn_true();
		} else if (kind == 4) {
			status = system("exit 0");
		} else {
			child = fork();
			if (child == 0)
				_exit(child_of(kind));
			if (waitpid(child, &status, 0) != child)
				status = -1;
		}
		if (status)
			atomic_store(&n_wrong, 1000 * (kind + 1) + WEXITSTATUS(status));
		atomic_fetch_add(&n_done, 1);
	}
	return unused;
}

START_TEST(children_of_a_thread_leave_the_stream_alone)
{
	pthread_t parent;
	size_t n = 0;

	rig_open_headroom(&rig, SND_PCM_STREAM_PLAYBACK, 0, "", "", &stereo);
	data = rig_noise(&rig, 20 * FRAMES, 75);
	rig_write(&rig, data, 9600, 9600);
	ck_assert_int_eq(pthread_create(&parent, NULL, have_children, NULL), 0);
	for (n = 9600; n < FRAMES || (atomic_load(&n_done) < CHILDREN && n < 20 * FRAMES);
	     n += 960)
		rig_write(&rig, data + n * 4, 960, 480);
	pthread_join(parent, NULL);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	ck_assert_int_eq(atomic_load(&n_wrong), 0);
	rig_assert_heard(&rig, data, n);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Frames"), (int64_t)n);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Process"), getpid());
}
END_TEST

/* The descriptor that the parent polls is the child's too. */
START_TEST(a_child_takes_no_wake_up_from_the_parent)	/* _i: what the child does */
{
	struct pollfd mine, its;
	unsigned short revents;
	pid_t child;
	int status;

	rig_open_headroom(&rig, SND_PCM_STREAM_PLAYBACK, SND_PCM_NONBLOCK, "", "", &stereo);
	data = rig_noise(&rig, 9600, 78);
	ck_assert_int_eq(snd_pcm_writei(rig.pcm, data, 9600), 9600);
	ck_assert_int_eq(snd_pcm_poll_descriptors(rig.pcm, &mine, 1), 1);
	ck_assert_int_eq(poll(&mine, 1, 20000), 1);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		alarm(20);
		snd_pcm_poll_descriptors(rig.pcm, &its, 1);
		its = mine;
		if (_i)
			snd_pcm_poll_descriptors_revents(rig.pcm, &its, 1, &revents);
		else
			snd_pcm_writei(rig.pcm, data, 9600);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(poll(&mine, 1, 5000), 1);
	ck_assert_int_eq(snd_pcm_poll_descriptors_revents(rig.pcm, &mine, 1, &revents), 0);
	ck_assert_int_ne(revents & POLLOUT, 0);
}
END_TEST

static int count_inherited(void)
{
	FILE *list = popen("ls /proc/self/fd | wc -l", "re");
	int n = -1;

	ck_assert_ptr_nonnull(list);
	ck_assert_int_eq(fscanf(list, "%d", &n), 1);
	ck_assert_int_eq(pclose(list), 0);
	return n;
}

START_TEST(another_program_inherits_no_descriptor)	/* _i: capture */
{
	int n = count_inherited();

	rig_open_headroom(&rig, _i ? SND_PCM_STREAM_CAPTURE : SND_PCM_STREAM_PLAYBACK, 0, "",
			  "on_device_loss reconnect", &stereo);
	ck_assert_int_eq(count_inherited(), n);
}
END_TEST

/* Plays, and then is another program, which lives until its input ends. */
static void play_and_become_cat(const int told[2], const int life[2])
{
	rig_open_headroom(&rig, SND_PCM_STREAM_PLAYBACK, 0, "", "", &stereo);
	data = rig_noise(&rig, 9600, 76);
	rig_write(&rig, data, 9600, 9600);
	dup2(life[0], 0);
	dup2(told[1], 1);
	close(told[0]);
	close(told[1]);
	close(life[0]);
	close(life[1]);
	execlp("sh", "sh", "-c", "echo; exec cat", (char *)NULL);
	_exit(1);
}

START_TEST(a_program_that_becomes_another_lets_go_of_its_slot)
{
	int told[2], life[2], status;
	pid_t player;
	char byte;

	ck_assert_int_eq(pipe(told), 0);
	ck_assert_int_eq(pipe(life), 0);
	player = fork();
	ck_assert_int_ge(player, 0);
	if (player == 0)
		play_and_become_cat(told, life);
	close(told[1]);
	ck_assert_int_eq(read(told[0], &byte, 1), 1);
	ck_assert_int_eq(rig_try_open_headroom(&rig, SND_PCM_STREAM_PLAYBACK, 0, "", ""), 0);
	ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Process"), getpid());
	ck_assert_int_eq(rig_counter_of(&rig, "Headroom Playback Process", 0), getpid());
	rig_install(&rig, &stereo);
	data = rig_noise(&rig, 9600, 77);
	rig_write(&rig, data, 9600, 9600);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	rig_assert_heard(&rig, data, 9600);
	close(life[1]);
	close(life[0]);
	close(told[0]);
	ck_assert_int_eq(waitpid(player, &status, 0), player);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("children");
	TCase *tcase = pcm_rig_case(suite, "children", set_up, tear_down);

	/* A mutex of alsa-lib's that another thread holds is held in the child for ever. */
	setenv("LIBASOUND_THREAD_SAFE", "0", 1);
	tcase_add_test(tcase, children_of_a_thread_leave_the_stream_alone);
	tcase_add_loop_test(tcase, a_child_takes_no_wake_up_from_the_parent, 0, 2);
	tcase_add_loop_test(tcase, another_program_inherits_no_descriptor, 0, 2);
	tcase_add_test(tcase, a_program_that_becomes_another_lets_go_of_its_slot);
	return pcm_rig_run(suite);
}
