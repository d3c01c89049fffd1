/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A control device as its program uses it, while streams come, work and go, and their
 * pages are removed, cut off and overwritten: no call crashes or goes on for ever, no
 * value is out of its range, what is set is read back, and events are of elements that
 * there are.
 *
 * An input is a sequence of deeds, each with its numbers. The clock is the input's.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <alsa/asoundlib.h>

#include "core/clock.h"
#include "plugin/elements.h"
#include "tests/fuzz/fuzz.h"

#define N_STREAMS 4
#define DEEDS_MAX 200
/* Two for each element that there can be: new, and changed. */
#define EVENTS_MAX (2 * HR_ELEMENTS_MAX * 2 * HR_PAGE_SLOTS)

int _snd_ctl_headroom_open(snd_ctl_t **handlep, char *name, snd_config_t *root,
			   snd_config_t *conf, int mode);

static snd_config_t *block;		/* { type headroom name x } */
static snd_ctl_t *ctl;
static struct hr_page *streams[N_STREAMS];
static uint64_t now_ns;

/* Behind the real clock, so that a timer that is set has always expired. */
int clock_gettime(clockid_t id, struct timespec *ts)
{
	(void)id;
	ts->tv_sec = (time_t)(now_ns / HR_NS_PER_S);
	ts->tv_nsec = (long)(now_ns % HR_NS_PER_S);
	return 0;
}

static void no_line(const char *file, int line, const char *function, int err,
		    const char *format, ...)
{
	(void)file;
	(void)line;
	(void)function;
	(void)err;
	(void)format;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char text[] = "name x\n";
	snd_input_t *input;

	(void)argc;
	(void)argv;
	make_directory();
	snd_lib_error_set_handler(no_line);
	DEMAND(snd_config_top(&block) == 0);
	DEMAND(snd_input_buffer_open(&input, text, (ssize_t)strlen(text)) == 0);
	DEMAND(snd_config_load(block, input) == 0);
	snd_input_close(input);
	return 0;
}

static void open_ctl(void)
{
	char name[] = "x";

	DEMAND(_snd_ctl_headroom_open(&ctl, name, NULL, block, SND_CTL_NONBLOCK) == 0);
}

/* ---- what a program does ---- */

static int64_t value_of(const snd_ctl_elem_value_t *value, snd_ctl_elem_type_t type)
{
	switch (type) {
	case SND_CTL_ELEM_TYPE_INTEGER64:
		return snd_ctl_elem_value_get_integer64(value, 0);
	case SND_CTL_ELEM_TYPE_ENUMERATED:
		return snd_ctl_elem_value_get_enumerated(value, 0);
	case SND_CTL_ELEM_TYPE_BOOLEAN:
		return snd_ctl_elem_value_get_boolean(value, 0);
	default:
		return snd_ctl_elem_value_get_integer(value, 0);
	}
}

/* The table's row of an element that alsa-lib has told of, without its number if it was
 * asked for by its name. */
static const struct hr_element *row_of(const snd_ctl_elem_info_t *info)
{
	unsigned int numid = snd_ctl_elem_info_get_numid(info);
	char full[HR_ELEMENT_NAME_MAX + 1];

	if (numid)
		return &hr_elements[(numid - 1) % hr_n_elements];
	for (size_t i = 0; i < 2 * hr_n_elements; i++) {
		hr_element_get_name(&hr_elements[i / 2], i % 2 ? HR_CAPTURE : HR_PLAYBACK, full);
		if (strcmp(full, snd_ctl_elem_info_get_name(info)) == 0)
			return &hr_elements[i / 2];
	}
	DEMAND(false);		/* none of the table */
	return NULL;
}

/* Whether there is one, and then its value in *value. */
static bool read_element(const snd_ctl_elem_id_t *id, int64_t *value)
{
	snd_ctl_elem_value_t *elem;
	snd_ctl_elem_info_t *info;
	const struct hr_element *row;

	snd_ctl_elem_value_alloca(&elem);
	snd_ctl_elem_info_alloca(&info);
	snd_ctl_elem_info_set_id(info, id);
	snd_ctl_elem_value_set_id(elem, id);
	if (snd_ctl_elem_info(ctl, info) < 0)
		return false;
	row = row_of(info);
	DEMAND(snd_ctl_elem_info_get_type(info) == row->type);
	DEMAND(snd_ctl_elem_read(ctl, elem) == 0);
	*value = value_of(elem, row->type);
	DEMAND(*value >= row->min && *value <= row->max);
	return true;
}

/* By number, by name, or by both, that need not agree. By neither is the program's mistake,
 * for which alsa-lib ends it. */
static void take_id(struct input *input, snd_ctl_elem_id_t *id)
{
	uint8_t how = take_u8(input);
	uint8_t which = take_u8(input);

	snd_ctl_elem_id_clear(id);
	if (how & 1)
		hr_element_get_id(&hr_elements[which % hr_n_elements],
				  how & 2 ? HR_CAPTURE : HR_PLAYBACK, (how >> 3) % 8, id);
	if (how & 4 || !(how & 1))
		snd_ctl_elem_id_set_numid(id, 1u + take_u16(input));
}

static void look_at_one(struct input *input)
{
	snd_ctl_elem_id_t *id;
	int64_t value;

	snd_ctl_elem_id_alloca(&id);
	take_id(input, id);
	(void)read_element(id, &value);
}

static void ask_for_an_item(struct input *input)
{
	snd_ctl_elem_info_t *info;
	snd_ctl_elem_id_t *id;

	snd_ctl_elem_id_alloca(&id);
	snd_ctl_elem_info_alloca(&info);
	take_id(input, id);
	snd_ctl_elem_info_set_id(info, id);
	snd_ctl_elem_info_set_item(info, (unsigned int)take_extreme(input));
	if (snd_ctl_elem_info(ctl, info) == 0 &&
	    snd_ctl_elem_info_get_type(info) == SND_CTL_ELEM_TYPE_ENUMERATED)
		DEMAND(strlen(snd_ctl_elem_info_get_item_name(info)) > 0);
}

static void list(struct input *input)
{
	snd_ctl_elem_list_t *elements;

	snd_ctl_elem_list_alloca(&elements);
	snd_ctl_elem_list_set_offset(elements, take_u16(input));
	DEMAND(snd_ctl_elem_list_alloc_space(elements, take_u8(input)) == 0);
	/* alsa-lib does not look whether there are so many. */
	(void)snd_ctl_elem_list(ctl, elements);
	DEMAND(snd_ctl_elem_list_get_count(elements) >= 2 * hr_n_elements);
	snd_ctl_elem_list_free_space(elements);
}

static void set_one(struct input *input)
{
	snd_ctl_elem_value_t *elem;
	snd_ctl_elem_id_t *id;
	int64_t before, after, value;
	bool is_there;
	int err;

	snd_ctl_elem_id_alloca(&id);
	snd_ctl_elem_value_alloca(&elem);
	take_id(input, id);
	value = (int64_t)take_extreme(input);
	is_there = read_element(id, &before);
	snd_ctl_elem_value_set_id(elem, id);
	snd_ctl_elem_value_set_integer64(elem, 0, value);
	err = snd_ctl_elem_write(ctl, elem);
	if (!is_there) {
		DEMAND(err < 0);
		return;
	}
	DEMAND(read_element(id, &after));
	/* Or it is Reset, which always reads off. */
	DEMAND(err < 0 || after == value || after == 0);
}

static void read_events(void)
{
	snd_ctl_event_t *event;
	unsigned int n = 0;

	snd_ctl_event_alloca(&event);
	while (snd_ctl_read(ctl, event) == 1) {
		snd_ctl_elem_id_t *id;
		int64_t value;

		DEMAND(++n <= EVENTS_MAX);
		snd_ctl_elem_id_alloca(&id);
		snd_ctl_event_elem_get_id(event, id);
		if (n <= 64)
			DEMAND(read_element(id, &value));
	}
}

/* ---- what streams do ---- */

static void open_stream(struct input *input)
{
	uint8_t how = take_u8(input);
	const struct hr_page_config config = {
		.name = "x", .direction = how & 1 ? HR_CAPTURE : HR_PLAYBACK,
		.perm = 0600, .gid = (gid_t)-1,
		.trigger = how & 2 ? 80 : 90, .clear = 50, .window = how & 4 ? 16 : 64,
	};

	for (size_t i = 0; i < N_STREAMS; i++) {
		if (streams[i])
			continue;
		DEMAND(hr_page_open(&streams[i], &config, now_ns) == 0);
		return;
	}
}

static void close_stream(size_t i)
{
	hr_page_close(streams[i], now_ns);
	streams[i] = NULL;
}

static void work(struct input *input)
{
	struct hr_page *page = streams[take_u8(input) % N_STREAMS];
	enum hr_stat stat = take_u8(input) % HR_STAT_COUNT;
	uint64_t value = take_extreme(input);

	if (!page)
		return;
	hr_page_apply_reset(page);
	hr_page_set(page, stat, value);
	hr_health_chunk(hr_page_health(page), (uint32_t)value, value, now_ns);
	if (value & 1)
		hr_health_drop(hr_page_health(page), value);
	if (value & 2)
		hr_health_overrun(hr_page_health(page));
	hr_page_announce(page);
}

/* ---- what happens to pages ---- */

static const char *take_file(struct input *input)
{
	uint8_t which = take_u8(input);
	char name[32];

	snprintf(name, sizeof(name), "x.%s.%d", which & 1 ? "capture" : "playback",
		 which / 2 % 4);
	return in_directory(name);
}

static void overwrite(struct input *input)
{
	int fd = open(take_file(input), O_RDWR | O_CLOEXEC);
	off_t offset = take_u16(input) % 1024;
	size_t n = take_u8(input) % 64;

	if (n > input->left)
		n = input->left;
	if (fd < 0)
		return;
	DEMAND(pwrite(fd, input->bytes, n, offset) == (ssize_t)n);
	input->bytes += n;
	input->left -= n;
	close(fd);
}

/* Not under a stream of our own, which would not survive it. */
static void cut_off(struct input *input)
{
	const char *file = take_file(input);
	off_t length = take_u16(input);

	for (size_t i = 0; i < N_STREAMS; i++)
		if (streams[i])
			return;
	if (access(file, F_OK) == 0)
		DEMAND(truncate(file, length) == 0);
}

/* ---- deeds ---- */

static void do_one(struct input *input)
{
	switch (take_u8(input) % 16) {
	case 0: case 1: look_at_one(input); break;
	case 2: case 3: set_one(input); break;
	case 4: ask_for_an_item(input); break;
	case 5: list(input); break;
	case 6: (void)snd_ctl_subscribe_events(ctl, take_u8(input) & 1); break;
	case 7: case 8: read_events(); break;
	case 9: open_stream(input); break;
	case 10: close_stream(take_u8(input) % N_STREAMS); break;
	case 11: work(input); break;
	case 12: unlink(take_file(input)); break;
	case 13: overwrite(input); break;
	case 14: cut_off(input); break;
	case 15: now_ns += take_u8(input) * 10 * HR_NS_PER_MS; break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };

	now_ns = HR_NS_PER_S;
	open_ctl();
	for (int i = 0; i < DEEDS_MAX && input.left > 0; i++)
		do_one(&input);
	DEMAND(snd_ctl_close(ctl) == 0);
	for (size_t i = 0; i < N_STREAMS; i++)
		close_stream(i);
	clear_directory();
	return 0;
}
