/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/soak/monitor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/soak/account.h"
#include "tests/soak/counters.h"

#define SHOW_EVERY_S 10		/* where the line cannot be written over */
#define SHOWN_MAX "79"		/* columns, or it cannot either */

/* Of each stream, in this order. */
static const char *const elements[] = {
	"Fill", "Latency P50", "Latency P95", "Latency P99", "Wakeup Late Max",
	"Frames Dropped", "Frames Silence", "Xruns",
};

enum { LATE = 4, N_ELEMENTS = sizeof(elements) / sizeof(elements[0]) };

void soak_monitor_init(struct soak_monitor *m, struct soak_shared *shared,
		       const struct soak_options *options, pid_t program)
{
	char path[512];

	*m = (struct soak_monitor){
		.shared = shared, .options = options, .program = program,
		.on_terminal = isatty(STDOUT_FILENO),
	};
	m->config = soak_configure("");
	m->ctl[0] = soak_counters_open(m->config, "long");
	m->ctl[1] = soak_counters_open(m->config, "again");
	snprintf(path, sizeof(path), "%s/samples.csv", options->results);
	m->samples = fopen(path, "we");
	if (!m->samples)
		soak_die("cannot write %s: %s", path, strerror(errno));
	fputs("second,resident KiB,resident at rest KiB,heap bytes,descriptors,threads,"
	      "faults p,faults c", m->samples);
	for (int i = 0; i < SOAK_STREAMS; i++)
		for (int k = 0; k < N_ELEMENTS; k++)
			fprintf(m->samples, ",%s %s %s", i < 2 ? "long" : "again",
				i % 2 ? "c" : "p", elements[k]);
	fputc('\n', m->samples);
}

static void read_stream(struct soak_monitor *m, int stream, int64_t values[N_ELEMENTS])
{
	for (int k = 0; k < N_ELEMENTS; k++)
		values[k] = soak_counter(m->ctl[stream / 2], stream % 2 == 0, elements[k]);
	/* Of openings that come and go, what the latest of them came to. */
	if (stream >= SOAK_AGAIN_PLAYBACK)
		values[LATE] = (int64_t)soak_take(&m->shared->accounts[stream].late_us);
}

static void show(struct soak_monitor *m, const struct soak_look *look,
		 int64_t values[SOAK_STREAMS][N_ELEMENTS])
{
	const struct soak_account *a = m->shared->accounts;
	unsigned int s = look->second, of = m->options->seconds;
	int64_t late_us = values[SOAK_LONG_PLAYBACK][LATE];
	char line[256];

	if (late_us < values[SOAK_LONG_CAPTURE][LATE])
		late_us = values[SOAK_LONG_CAPTURE][LATE];
	if (!m->on_terminal && s % SHOW_EVERY_S && s != of)
		return;
	snprintf(line, sizeof(line), "%2u:%02u/%u:%02u heard %" PRIu64 ", read %" PRIu64
		 " s, opened %" PRIu64 ", lost %" PRIu64 ", %" PRIu64 " KiB, late %.0f ms",
		 s / 60, s % 60, of / 60, of % 60,
		 soak_get(&m->shared->far[0].heard) / SOAK_LONG_RATE,
		 soak_get(&a[SOAK_LONG_CAPTURE].delivered) / SOAK_LONG_RATE,
		 soak_get(&a[SOAK_AGAIN_PLAYBACK].openings) +
		 soak_get(&a[SOAK_AGAIN_CAPTURE].openings),
		 soak_account_unprovoked(m->shared), look->resident_kib,
		 (double)late_us / 1000);
	printf("%s%." SHOWN_MAX "s%s", m->on_terminal ? "\r\033[K" : "", line,
	       m->on_terminal ? "" : "\n");
	fflush(stdout);
}

void soak_monitor_look(struct soak_monitor *m, unsigned int second)
{
	int64_t values[SOAK_STREAMS][N_ELEMENTS];
	struct soak_look look = soak_constant_look(&m->constant, m->shared, m->program, second);

	fprintf(m->samples, "%u,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
		",%" PRIu64 ",%" PRIu64, look.second, look.resident_kib, look.rest_kib,
		look.heap_bytes, look.fds, look.threads, look.faults[0], look.faults[1]);
	for (int i = 0; i < SOAK_STREAMS; i++) {
		read_stream(m, i, values[i]);
		for (int k = 0; k < N_ELEMENTS; k++)
			fprintf(m->samples, ",%" PRId64, values[i][k]);
	}
	fputc('\n', m->samples);
	show(m, &look, values);
}

void soak_monitor_finish(struct soak_monitor *m)
{
	if (m->on_terminal)
		fputs("\r\033[K", stdout);
	if (fclose(m->samples) != 0)
		soak_die("cannot write samples.csv: %s", strerror(errno));
	for (size_t i = 0; i < SOAK_STREAMS / 2; i++)
		snd_ctl_close(m->ctl[i]);
	snd_config_delete(m->config);
}
