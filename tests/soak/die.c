/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <alsa/asoundlib.h>

#include "tests/soak/shared.h"

void soak_die(const char *format, ...)
{
	va_list args;

	fputs("soak: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	/* Not exit(): other threads are in the midst of things. */
	_exit(1);
}

void soak_must(long result, const char *what)
{
	if (result < 0)
		soak_die("%s: %s", what, snd_strerror((int)result));
}
