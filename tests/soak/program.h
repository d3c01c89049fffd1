/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* The program: four threads, each with a stream of its own. */
#ifndef TESTS_SOAK_PROGRAM_H
#define TESTS_SOAK_PROGRAM_H

#include "tests/soak/shared.h"

/** Play and record until the monitor says stop; the process ends with status 0. */
void soak_program(struct soak_shared *shared, const struct soak_options *options)
	__attribute__((noreturn));

#endif
