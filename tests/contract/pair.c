/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Every scenario that needs no virtual card on two PCMs by name: the bare device and
 * headroom over the same. Prints "ok NAME" or "not ok NAME", and at last how many.
 *
 * usage: pair BARE THROUGH playback|capture PERIOD BUFFER [SCENARIO]
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/contract/contract.h"

#define HANGS_S 40

static int open_named(struct device *device, snd_pcm_t **pcmp, snd_pcm_stream_t stream)
{
	return snd_pcm_open(pcmp, device->data, stream, 0);
}

static void close_named(struct device *device, snd_pcm_t *pcm)
{
	(void)device;
	if (pcm)
		snd_pcm_close(pcm);
}

/* In a process of its own, which does not live for ever. */
static bool agrees(const struct scenario *s, struct device *bare, struct device *through,
		   snd_pcm_uframes_t period, snd_pcm_uframes_t buffer)
{
	int status = 0;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		alarm(HANGS_S);
		exit(scenario_agrees(s, bare, through, period, buffer, stdout) ?
		     EXIT_SUCCESS : EXIT_FAILURE);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return false;
	if (WIFSIGNALED(status))
		printf("#   ended by signal %d%s\n", WTERMSIG(status),
		       WTERMSIG(status) == SIGALRM ? ": it hangs" : "");
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(int argc, char **argv)
{
	struct device bare = { .open = open_named, .close = close_named,
			       .tells_periods = true };
	struct device through = bare;
	snd_pcm_uframes_t period, buffer;
	const struct scenario *s;
	int status = EXIT_SUCCESS;
	int n_results = 0;

	if (argc < 6) {
		fprintf(stderr, "usage: %s BARE THROUGH playback|capture PERIOD BUFFER "
			"[SCENARIO]\n", argv[0]);
		return 2;
	}
	bare.label = bare.data = argv[1];
	through.label = through.data = argv[2];
	period = strtoul(argv[4], NULL, 10);
	buffer = strtoul(argv[5], NULL, 10);
	for (size_t i = 0; (s = scenario_at(i)); i++) {
		bool playback = s->stream == SND_PCM_STREAM_PLAYBACK;
		bool agree;

		if (playback != (strcmp(argv[3], "playback") == 0) ||
		    (s->needs & VIRTUAL_ONLY) || !device_can(&bare, s) ||
		    (argc > 6 && strcmp(argv[6], s->name) != 0))
			continue;
		agree = agrees(s, &bare, &through, period, buffer);
		printf("%s %s: %s as %s\n", agree ? "ok" : "not ok", s->name, argv[2],
		       argv[1]);
		fflush(stdout);
		n_results++;
		if (!agree)
			status = EXIT_FAILURE;
	}
	printf("1..%d\n", n_results);
	return status;
}
