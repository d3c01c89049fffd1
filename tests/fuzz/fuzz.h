/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What the fuzz targets share: a directory of pages of their own, numbers out of an
 * input, and a demand that is not met as a crash, which is what libFuzzer looks for.
 *
 * What a target does depends on nothing but the input, so that an input replays.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define DEMAND(condition) do {							\
	if (!(condition)) {							\
		fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
		abort();							\
	}									\
} while (0)

/* What is left of an input. */
struct input {
	const uint8_t *bytes;
	size_t left;
};

/** The next bytes as a number; zeros where the input has ended. */
uint8_t take_u8(struct input *input);
uint16_t take_u16(struct input *input);
uint64_t take_u64(struct input *input);

/** A number of which the extremes are as likely as all between them. */
uint64_t take_extreme(struct input *input);

/** Make the directory, once, and let it be HEADROOM_DIR; removed at the exit. */
void make_directory(void);

/** Remove what is in it. */
void clear_directory(void);

/** The path of a file in it, good until the next call. */
const char *in_directory(const char *file);

/** The two that libFuzzer calls. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
