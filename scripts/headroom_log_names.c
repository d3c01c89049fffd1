/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/page_file.h"
#include "scripts/headroom_log_names.h"

typedef char page_name[HR_PAGE_NAME_MAX + 1];

struct names {
	page_name *list;
	size_t n;
};

/* Undoes hr_page_file_name(). False for a file that is no page. */
static bool decode(page_name name, const char *file_name)
{
	char again[NAME_MAX + 1];
	const char *in = file_name;
	size_t n = 0;

	while (*in && *in != '.') {
		if (n == HR_PAGE_NAME_MAX)
			return false;
		if (*in == '%' && in[1] && in[2]) {
			const char hex[] = { in[1], in[2], '\0' };

			/* What is no number does not come out the same below. */
			name[n++] = (char)strtoul(hex, NULL, 16);
			in += 3;
		} else {
			name[n++] = *in++;
		}
	}
	name[n] = '\0';
	for (uint32_t slot = 0; slot < HR_PAGE_SLOTS; slot++)
		for (int direction = HR_PLAYBACK; direction <= HR_CAPTURE; direction++)
			if (hr_page_file_name(again, name, (enum hr_direction)direction,
					      slot) == 0 && strcmp(again, file_name) == 0)
				return true;
	return false;
}

static void add(struct names *names, const char *name)
{
	page_name *longer = realloc(names->list, (names->n + 1) * sizeof(page_name));

	if (!longer)
		return;
	names->list = longer;
	strcpy(names->list[names->n++], name);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static struct names all_names(uid_t owner)
{
	struct names names = { NULL, 0 };
	int fd = hr_page_dir_find(owner);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	page_name name;

	if (!folder) {
		if (fd >= 0)
			close(fd);
		return names;
	}
	while ((entry = readdir(folder)))
		if (decode(name, entry->d_name))
			add(&names, name);
	closedir(folder);
	if (names.n)
		qsort(names.list, names.n, sizeof(page_name), by_name);
	return names;
}

/* It may be another user's: nothing of it is to reach a terminal but text. */
static void print_name(FILE *to, const char *name)
{
	for (; *name; name++)
		fputc((unsigned char)*name < ' ' || *name == 0x7f ? '?' : *name, to);
}

size_t print_other_names(FILE *to, uid_t owner, const char *but, const char *before)
{
	struct names names = all_names(owner);
	size_t n = 0;

	for (size_t i = 0; i < names.n; i++) {
		const char *name = names.list[i];

		if (strcmp(name, but) == 0 || (i && strcmp(name, names.list[i - 1]) == 0))
			continue;
		fputs(n++ ? ", " : before, to);
		print_name(to, name);
	}
	free(names.list);
	return n;
}
