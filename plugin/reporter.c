/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "plugin/reporter.h"

#include <poll.h>
#include <time.h>
#include <alsa/asoundlib.h>
#include "core/clock.h"
#include "plugin/thread.h"

#define NEVER UINT64_MAX
/* What changes in quick succession is announced together. */
#define QUIET_NS (20 * HR_NS_PER_MS)
#define CARD_NS (500 * HR_NS_PER_MS)

/* What there is to do, and from when on it may be done. */
struct due {
	bool announce, card;
	uint64_t announce_ns, card_ns;
};

static int timeout_ms(uint64_t until_ns)
{
	uint64_t now_ns = hr_now_ns();

	if (until_ns == NEVER)
		return -1;
	if (until_ns <= now_ns)
		return 0;
	/* Rounded up, or the last of it would be spent spinning. */
	return (int)((until_ns - now_ns + HR_NS_PER_MS - 1) / HR_NS_PER_MS);
}

static void note_news(const struct hr_reporter *reporter, struct due *due)
{
	due->announce = true;
	due->card = reporter->card != NULL;
}

/* Sleep until there is something to do, and note what. */
static void wait_for_news(struct hr_reporter *reporter, struct due *due)
{
	struct pollfd fds[2] = {
		{ .fd = reporter->wake.fd, .events = POLLIN },
		{ .fd = hr_card_elements_fd(reporter->card), .events = POLLIN },
	};
	const struct timespec blind = { .tv_nsec = 100 * HR_NS_PER_MS };
	uint64_t until_ns = due->announce ? due->announce_ns : NEVER;
	int n;

	if (due->card && due->card_ns < until_ns)
		until_ns = due->card_ns;
	hr_witness_sleeps(&reporter->witness);
	n = poll(fds, reporter->card ? 2 : 1, timeout_ms(until_ns));
	if (n == 0)
		return;
	/* A program that has given up its descriptors may not even poll. */
	if (n < 0)
		nanosleep(&blind, NULL);
	if (n < 0 || fds[0].revents) {
		hr_wake_clear(&reporter->wake);
		note_news(reporter, due);
	}
	/* A setting made on the card is one like any other. */
	if (fds[1].revents && hr_card_elements_obey(reporter->card))
		note_news(reporter, due);
}

static void report(struct hr_reporter *reporter, struct due *due)
{
	uint64_t now_ns = hr_now_ns();

	if (due->announce && now_ns >= due->announce_ns) {
		hr_page_announce(reporter->page);
		due->announce = false;
		due->announce_ns = now_ns + QUIET_NS;
	}
	if (due->card && now_ns >= due->card_ns) {
		/* First what others have set, or it would be written over. */
		if (hr_card_elements_obey(reporter->card))
			due->announce = true;
		/* While the stream runs there will be more. */
		due->card = hr_card_elements_update(reporter->card, now_ns);
		due->card_ns = now_ns + CARD_NS;
	}
}

/* The elements went with the card. */
static void renew_card(struct hr_reporter *reporter, struct due *due)
{
	/* relaxed: a number by itself; the wake-up follows it. */
	int index = atomic_exchange_explicit(&reporter->renewed, 0, memory_order_relaxed) - 1;
	enum hr_direction direction;

	if (index < 0 || !reporter->card)
		return;
	direction = hr_card_elements_direction(reporter->card);
	hr_card_elements_close(reporter->card);
	reporter->card = NULL;
	(void)hr_card_elements_open(&reporter->card, index, reporter->page, direction);
	note_news(reporter, due);
}

static void *reporter_main(void *arg)
{
	struct hr_reporter *reporter = arg;
	struct due due = { 0 };

	pthread_setname_np(pthread_self(), "headroom-report");
	hr_witness_open(&reporter->witness);
	sem_post(&reporter->is_there);
	note_news(reporter, &due);	/* the stream is open */
	/* relaxed: the join orders everything else. */
	while (!atomic_load_explicit(&reporter->stop, memory_order_relaxed)) {
		renew_card(reporter, &due);
		report(reporter, &due);
		wait_for_news(reporter, &due);
	}
	return NULL;
}

void hr_reporter_start(struct hr_reporter *reporter, struct hr_page *page,
		       struct hr_card_elements *card, bool keep_elements)
{
	int err = hr_wake_init(&reporter->wake);

	reporter->page = page;
	reporter->card = card;
	reporter->keep_elements = keep_elements;
	sem_init(&reporter->is_there, 0, 0);
	if (err == 0)
		err = hr_thread_start(&reporter->thread, true, reporter_main, reporter);
	reporter->is_running = err == 0;
	if (err == 0) {
		/* A sandbox may close around the program once it has opened the stream. */
		hr_thread_await(&reporter->is_there);
		return;
	}
	SNDERR("headroom: no thread to report changes (%s): they are shown late%s, sound "
	       "goes on", snd_strerror(err), card ? ", and not on the card" : "");
	hr_page_announce(page);		/* the stream is open */
	hr_reporter_stop(reporter);
}

void hr_reporter_notify(struct hr_reporter *reporter)
{
	if (reporter->wake.fd >= 0)
		hr_wake_force(&reporter->wake);
}

void hr_reporter_renew(struct hr_reporter *reporter, int index)
{
	/* relaxed: see renew_card(). */
	atomic_store_explicit(&reporter->renewed, index + 1, memory_order_relaxed);
	hr_reporter_notify(reporter);
}

bool hr_reporter_was_stopped(struct hr_reporter *reporter)
{
	if (!hr_witness_saw_stop(&reporter->witness))
		return false;
	hr_reporter_notify(reporter);
	return true;
}

void hr_reporter_stop(struct hr_reporter *reporter)
{
	if (reporter->is_running) {
		/* relaxed: the wake-up follows, and the thread looks after it. */
		atomic_store_explicit(&reporter->stop, true, memory_order_relaxed);
		hr_wake_force(&reporter->wake);
		pthread_join(reporter->thread, NULL);
		reporter->is_running = false;
	}
	hr_card_elements_end(reporter->card, reporter->keep_elements, hr_now_ns());
	hr_reporter_abandon(reporter);
}

void hr_reporter_abandon(struct hr_reporter *reporter)
{
	hr_card_elements_close(reporter->card);
	reporter->card = NULL;
	hr_wake_finish(&reporter->wake);
	hr_witness_close(&reporter->witness);
}
