/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/event_fixture.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include "core/clock.h"

static const struct { enum hr_direction direction; unsigned int slot; } sources[] = {
	[PLAYBACK] = { HR_PLAYBACK, 0 },
	[CAPTURE] = { HR_CAPTURE, 0 },
	[PLAYBACK_1] = { HR_PLAYBACK, 1 },
	[CAPTURE_1] = { HR_CAPTURE, 1 },
};

snd_ctl_t *open_subscribed(void)
{
	snd_ctl_t *ctl = open_ctl();

	ck_assert_int_eq(snd_ctl_subscribe_events(ctl, 1), 0);
	return ctl;
}

int fd_of(snd_ctl_t *ctl)
{
	struct pollfd fds;

	ck_assert_int_eq(snd_ctl_poll_descriptors_count(ctl), 1);
	ck_assert_int_eq(snd_ctl_poll_descriptors(ctl, &fds, 1), 1);
	ck_assert_int_eq(fds.events & POLLIN, POLLIN);
	return fds.fd;
}

bool is_readable(snd_ctl_t *ctl, int timeout_ms)
{
	struct pollfd fds = { .fd = fd_of(ctl), .events = POLLIN };
	unsigned short revents;

	if (poll(&fds, 1, timeout_ms) <= 0)
		return false;
	ck_assert_int_eq(snd_ctl_poll_descriptors_revents(ctl, &fds, 1, &revents), 0);
	ck_assert_int_eq(revents, POLLIN);
	return true;
}

bool read_event(snd_ctl_t *ctl, struct event *event)
{
	snd_ctl_event_t *read;
	unsigned int number, mask;
	char name[64];
	int err;

	snd_ctl_event_alloca(&read);
	err = snd_ctl_read(ctl, read);
	if (err == -EAGAIN)
		return false;
	ck_assert_int_eq(err, 1);
	ck_assert_int_eq(snd_ctl_event_get_type(read), SND_CTL_EVENT_ELEM);
	number = snd_ctl_event_elem_get_numid(read) - 1;
	ck_assert_uint_lt(number, N_SOURCES * N_EXPECTED);
	event->source = number / N_EXPECTED;
	event->element = number % N_EXPECTED;
	snprintf(name, sizeof(name), "%s%s", prefix[sources[event->source].direction],
		 expected[event->element].suffix);
	ck_assert_str_eq(snd_ctl_event_elem_get_name(read), name);
	ck_assert_int_eq(snd_ctl_event_elem_get_interface(read), SND_CTL_ELEM_IFACE_PCM);
	ck_assert_uint_eq(snd_ctl_event_elem_get_device(read), 0);
	ck_assert_uint_eq(snd_ctl_event_elem_get_subdevice(read),
			  sources[event->source].slot);
	ck_assert_uint_eq(snd_ctl_event_elem_get_index(read), 0);
	mask = snd_ctl_event_elem_get_mask(read);
	event->is_new = mask == SND_CTL_EVENT_MASK_ADD;
	ck_assert(event->is_new || mask == SND_CTL_EVENT_MASK_VALUE);
	return true;
}

bool next_event(snd_ctl_t *ctl, struct event *event, int timeout_ms)
{
	uint64_t until_ns = hr_now_ns() + (uint64_t)timeout_ms * HR_NS_PER_MS;

	for (;;) {
		uint64_t now_ns = hr_now_ns();
		uint64_t left_ns = now_ns < until_ns ? until_ns - now_ns : 0;

		if (!is_readable(ctl, (int)((left_ns + HR_NS_PER_MS - 1) / HR_NS_PER_MS)))
			return false;
		if (read_event(ctl, event))
			return true;
		if (left_ns == 0)
			return false;
	}
}

bool is_event(const struct event *event, enum source source, const char *suffix)
{
	return !event->is_new && event->source == source &&
	       !strcmp(expected[event->element].suffix, suffix);
}

static void count_event(struct tally *tally, const struct event *event)
{
	if (event->is_new)
		tally->added[event->source][event->element]++;
	else
		tally->told[event->source][event->element]++;
}

void tally_for(snd_ctl_t *ctl, struct tally *tally, int ms)
{
	uint64_t until_ns = hr_now_ns() + (uint64_t)ms * HR_NS_PER_MS;
	struct event event;

	for (uint64_t now_ns; (now_ns = hr_now_ns()) < until_ns;) {
		if (next_event(ctl, &event, (int)((until_ns - now_ns) / HR_NS_PER_MS) + 1))
			count_event(tally, &event);
	}
}

uint64_t tally_until(snd_ctl_t *ctl, struct tally *tally, enum source source,
		     const char *suffix)
{
	uint64_t start_ns = hr_now_ns();
	struct event event;

	do {
		ck_assert_msg(next_event(ctl, &event, AT_LAST_MS),
			      "no event of %s %s", prefix[sources[source].direction], suffix);
		count_event(tally, &event);
		ck_assert_msg(hr_now_ns() - start_ns < AT_LAST_MS * HR_NS_PER_MS,
			      "other events than of %s", suffix);
	} while (!is_event(&event, source, suffix));
	return hr_now_ns() - start_ns;
}

uint64_t await(snd_ctl_t *ctl, enum source source, const char *suffix)
{
	struct tally tally = { 0 };

	return tally_until(ctl, &tally, source, suffix);
}

unsigned int times_told(const struct tally *tally, enum source source, const char *suffix)
{
	for (size_t i = 0; i < N_EXPECTED; i++) {
		if (!strcmp(expected[i].suffix, suffix))
			return tally->told[source][i];
	}
	ck_abort_msg("no element %s", suffix);
	return 0;
}

unsigned int n_told(const struct tally *tally)
{
	unsigned int n = 0;

	for (enum source source = 0; source < N_SOURCES; source++) {
		for (size_t i = 0; i < N_EXPECTED; i++)
			n += tally->told[source][i];
		n -= times_told(tally, source, "Uptime");
	}
	return n;
}

unsigned int n_added(const struct tally *tally)
{
	unsigned int n = 0;

	for (enum source source = 0; source < N_SOURCES; source++) {
		for (size_t i = 0; i < N_EXPECTED; i++)
			n += tally->added[source][i];
	}
	return n;
}
