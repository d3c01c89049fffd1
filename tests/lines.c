/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/lines.h"

#include <alsa/asoundlib.h>
#include <fnmatch.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

char lines[4096];
unsigned int n_lines;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((format(printf, 5, 6)))
static void keep_line(const char *file, int line, const char *function, int err,
		      const char *format, ...)
{
	char text[512];
	va_list args;

	(void)file, (void)line, (void)function, (void)err;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (!strstr(text, "headroom: "))
		return;
	pthread_mutex_lock(&lock);
	if (strlen(lines) + strlen(text) + 2 <= sizeof(lines)) {
		n_lines++;
		strcat(strcat(lines, text), "\n");
	}
	pthread_mutex_unlock(&lock);
}

unsigned int lines_like(const char *pattern)
{
	char copy[sizeof(lines)], *rest = copy, *line;
	unsigned int n = 0;

	pthread_mutex_lock(&lock);
	memcpy(copy, lines, sizeof(copy));
	pthread_mutex_unlock(&lock);
	while ((line = strsep(&rest, "\n")))
		n += fnmatch(pattern, line, 0) == 0;
	return n;
}

void keep_lines(void)
{
	snd_lib_error_set_handler(keep_line);
}
