/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

static char directory[256];

static uint64_t take_bytes(struct input *input, size_t n)
{
	uint64_t value = 0;

	if (n > input->left)
		n = input->left;
	memcpy(&value, input->bytes, n);
	input->bytes += n;
	input->left -= n;
	return value;
}

uint8_t take_u8(struct input *input)
{
	return (uint8_t)take_bytes(input, 1);
}

uint16_t take_u16(struct input *input)
{
	return (uint16_t)take_bytes(input, 2);
}

uint64_t take_u64(struct input *input)
{
	return take_bytes(input, 8);
}

uint64_t take_extreme(struct input *input)
{
	static const uint64_t extremes[] = {
		0, 1, UINT64_MAX, UINT64_MAX - 1, INT64_MAX, (uint64_t)1 << 63, UINT32_MAX,
		INT32_MAX, (uint64_t)1 << 31, 100, 101, 65536, 1000000000,
	};
	uint8_t which = take_u8(input);

	if (which < sizeof(extremes) / sizeof(extremes[0]))
		return extremes[which];
	return which < 128 ? which : take_u64(input);
}

const char *in_directory(const char *file)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", directory, file);
	return path;
}

void clear_directory(void)
{
	DIR *stream = opendir(directory);
	struct dirent *entry;

	DEMAND(stream);
	while ((entry = readdir(stream)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			unlink(in_directory(entry->d_name));
	closedir(stream);
}

static void remove_directory(void)
{
	clear_directory();
	rmdir(directory);
}

void make_directory(void)
{
	const char *parent = getenv("TMPDIR");

	snprintf(directory, sizeof(directory), "%s/headroom-fuzz-XXXXXX",
		 parent ? parent : "/dev/shm");
	DEMAND(mkdtemp(directory));
	DEMAND(setenv("HEADROOM_DIR", directory, 1) == 0);
	atexit(remove_directory);
}
