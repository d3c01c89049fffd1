/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/soak/card_log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/soak/shared.h"

static void take(struct soak_card_log *log, const char *event, uint64_t frame, bool *runs,
		 bool *begun)
{
	if (strcmp(event, "start") == 0) {
		if (!*begun)
			log->begin = frame;
		else if (!*runs)
			log->stood += frame - log->stop;
		*runs = *begun = true;
	} else if (strcmp(event, "stop") == 0) {
		log->stop = frame;
		*runs = false;
	} else if (strcmp(event, "close") == 0) {
		/* Stopped by an xrun: what passed since then is lost as well. */
		if (*runs || !*begun)
			log->stop = frame;
		log->end = frame;
	}
}

struct soak_card_log soak_card_log_read(const char *path)
{
	struct soak_card_log log = { 0 };
	bool runs = false, begun = false;
	char line[128], event[16];
	uint64_t frame;
	FILE *file = fopen(path, "re");

	if (!file)
		soak_die("cannot read %s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%15s %*s at frame %" SCNu64, event, &frame) == 2)
			take(&log, event, frame, &runs, &begun);
	fclose(file);
	unlink(path);
	return log;
}
