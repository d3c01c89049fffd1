/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/differential/compare.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS UINT64_C(1000000)
#define TRIES_AT_ONE_CALL 3

/* Why from some calls on nothing is compared until the program begins anew. */
static const char *const limits[N_LIMITS] = {
	[LIMIT_POSITION] = "ioplug takes any rewind and forward: the pointer is outside "
			   "of the buffer, where the device would have refused",
	[LIMIT_RESET] = "reset in an xrun: the virtual card has stopped where it was before, "
			"the pointers begin at 0",
	[LIMIT_END] = "an xrun is seen by steps: a suspend just there may come before or "
		      "after it",
	[LIMIT_DRAINING] = "what is committed by mmap to a draining stream is not heard",
	[LIMIT_SILENCE] = "what keeps a stream going beyond its end is silence in the "
			  "device, which a drain plays out",
	[LIMIT_IDLE] = "the device's side of a stream that stands still looks at nothing: a "
		       "suspend is seen by the call that needs the device",
	[LIMIT_REFUSED] = "alsa-lib says of any plug-in that it was resumed: headroom then "
			  "is prepared, the virtual card stays suspended",
	[LIMIT_FREED] = "ioplug stays in the state in which hw_free has found it",
};

static bool is_moving(const struct result *r)
{
	return r->before == SND_PCM_STATE_RUNNING || r->before == SND_PCM_STATE_DRAINING ||
	       r->after == SND_PCM_STATE_RUNNING || r->after == SND_PCM_STATE_DRAINING;
}

static bool is_near(long a, long b, long tolerance)
{
	return a - b <= tolerance && b - a <= tolerance;
}

static bool differ(struct verdict *verdict, const char *what, long headroom, long card)
{
	snprintf(verdict->why, sizeof(verdict->why), "%s: headroom %ld, card %ld", what,
		 headroom, card);
	return false;
}

static bool compare_times(const struct result *h, const struct result *c,
			  struct verdict *verdict)
{
	/* A reader is told of a period by the second look of the device's side at it. */
	uint64_t period_ns = (uint64_t)(h->apart + 2 * h->step) * 1000 * MS / h->rate + MS;
	/* Streams that went on may have left the two at different times. */
	uint64_t headroom_ns = h->raw_end_ns - h->begin_ns;
	uint64_t card_ns = c->raw_end_ns - c->begin_ns;

	/* Both would wait for ever, or have lost in steps what they wait for. */
	if (h->goes_on || headroom_ns + MS >= h->patience_ns ||
	    h->ret == -EDEADLK || h->after == SND_PCM_STATE_PAUSED ||
	    h->kind == CALL_DRAIN_AND_DROP)
		return true;
	if (card_ns > h->end_ns - h->begin_ns || card_ns + period_ns < headroom_ns)
		return differ(verdict, "time taken, us", (long)(headroom_ns / 1000),
			      (long)(card_ns / 1000));
	return true;
}

static bool compare_data(const struct result *h, const struct result *c,
			 struct verdict *verdict)
{
	long frames = h->transfers ? h->ret : h->frames;
	long other = c->transfers ? c->ret : c->frames;

	if (other < frames)
		frames = other;
	if (!h->data || !c->data || frames <= 0)
		return true;
	if (memcmp(h->data, c->data, (size_t)frames * h->frame_bytes) == 0)
		return true;
	return differ(verdict, "other frames were read", frames, frames);
}

/* The position of a stream that was stopped: the kernel gives no delay there, and how
 * far ioplug has come to know it by then is its own matter. */
static bool is_stopped(const struct result *r)
{
	return r->after == SND_PCM_STATE_SETUP || r->after == SND_PCM_STATE_XRUN;
}

/* What is told of the state only, because the virtual card does otherwise than the
 * kernel, whom headroom follows. */
static bool is_exempt(const struct result *h, const struct result *c)
{
	bool polls = h->kind == CALL_WAIT || h->kind == CALL_POLL;

	/* The end of a drain is an error state, and poll says so. */
	if (polls && h->before == SND_PCM_STATE_DRAINING && h->after == SND_PCM_STATE_SETUP)
		return true;
	/* A stream that goes on where the card ran dry or full stands, when paused, some
	 * frames beside the card's (silence ahead of them, sound that was kept), and one
	 * that was reset has forgotten so many: whether they are enough to be ready is
	 * decided by those. */
	if ((h->goes_on || h->was_reset) && h->before == SND_PCM_STATE_PAUSED &&
	    (polls || h->transfers || h->kind == CALL_MMAP))
		return true;
	/* alsa-lib would wait where there is nothing to move, and by then knows the state
	 * only for the next call: frames of the step before decide. */
	if (h->transfers && h->before == SND_PCM_STATE_RUNNING &&
	    h->after == SND_PCM_STATE_SUSPENDED && h->ret == -EAGAIN && c->ret == -ESTRPIPE)
		return true;
	/* Whether it waits in a stopped stream depends on the position. */
	return h->kind == CALL_WAIT && is_stopped(h) && is_stopped(c);
}

static bool compare_call(const struct result *h, const struct result *c,
			 struct verdict *verdict)
{
	/* A suspended device does not say how far it had got since the last step. */
	long tolerance = is_moving(h) || is_moving(c) || h->goes_on ||
			 h->was_reset || h->after == SND_PCM_STATE_SUSPENDED ?
			 h->given_step + h->rate / 4096 + 2 : 0;

	/* What it lost began by a step and ended by one. */
	if (h->goes_on)
		tolerance += h->step;
	if (is_exempt(h, c))
		return h->after == c->after || differ(verdict, "state", (long)h->after,
						      (long)c->after);
	if (is_stopped(h) && is_stopped(c))
		tolerance = LONG_MAX / 2;
	if (h->ret != c->ret && !(h->transfers && h->ret >= 0 && c->ret >= 0 &&
				  is_near(h->ret, c->ret, tolerance)))
		return differ(verdict, "returned", h->ret, c->ret);
	if (h->after != c->after)
		return differ(verdict, "state", (long)h->after, (long)c->after);
	if (h->n_exact != c->n_exact || h->n_rough != c->n_rough)
		return differ(verdict, "values given", h->n_exact, c->n_exact);
	for (unsigned int i = 0; i < h->n_exact; i++)
		if (h->exact[i] != c->exact[i])
			return differ(verdict, "a value", h->exact[i], c->exact[i]);
	for (unsigned int i = 0; i < h->n_rough; i++)
		if (!is_near(h->rough[i], c->rough[i], tolerance))
			return differ(verdict, "a position", h->rough[i], c->rough[i]);
	return compare_times(h, c, verdict) && compare_data(h, c, verdict);
}

/* How many of n bytes are the same before the first that is not. */
static size_t same_bytes(const uint8_t *a, const uint8_t *b, size_t n)
{
	size_t i = 0;

	/* Nearly always all of them, and that is seen quickly. */
	if (n == 0 || memcmp(a, b, n) == 0)
		return n;
	while (a[i] == b[i])
		i++;
	return i;
}

/* Of every sequence, whatever was not compared in it. */
static bool compare_ends(const struct record *h, const struct record *c,
			 struct verdict *verdict)
{
	if (h->close_ret != c->close_ret)
		return differ(verdict, "close", h->close_ret, c->close_ret);
	if (h->threads != 0)
		return differ(verdict, "threads left", h->threads, c->threads);
	return true;
}

static bool compare_sound(const struct record *h, const struct record *c,
			  struct verdict *verdict)
{
	size_t n = h->heard_bytes < c->heard_bytes ? h->heard_bytes : c->heard_bytes;
	size_t same;

	if (!h->same_sound)
		return true;
	same = same_bytes(h->heard, c->heard, n);
	if (same < n)
		return differ(verdict, "other sound from byte", (long)same, (long)same);
	if (h->heard_bytes != c->heard_bytes)
		return differ(verdict, "bytes heard", (long)h->heard_bytes,
			      (long)c->heard_bytes);
	return true;
}

void compare(const struct sequence *sequence, const struct record *headroom,
	     const struct record *card, struct verdict *verdict)
{
	bool keeps = sequence->keeps && !sequence->playback, limited = false;

	*verdict = (struct verdict){ .agrees = false };
	if (headroom->open_ret != card->open_ret) {
		differ(verdict, "open", headroom->open_ret, card->open_ret);
		return;
	}
	for (unsigned int i = 0; i < headroom->n && !limited; i++) {
		const struct result *h = &headroom->results[i], *c = &card->results[i];

		/* Nor the sound after it: see limits. A capture that keeps more than its
		 * buffer goes on where the card's ends. */
		limited = h->limit != LIMIT_NONE ||
			  (keeps && (h->goes_on || c->after == SND_PCM_STATE_XRUN ||
				     c->before == SND_PCM_STATE_XRUN));
		if (limited || compare_call(h, c, verdict))
			continue;
		verdict->at = i;
		verdict->moving = is_moving(h) || is_moving(c);
		return;
	}
	verdict->at = headroom->n;
	verdict->agrees = compare_ends(headroom, card, verdict) &&
			  (limited || compare_sound(headroom, card, verdict));
}

static void show_values(const char *side, const struct result *r)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", r->ret);
	if (r->ret < 0)
		snprintf(text, sizeof(text), "-%s", strerrorname_np((int)-r->ret));
	printf("      %-9s %-10s %s -> %s, %llu us", side, text,
	       snd_pcm_state_name(r->before), snd_pcm_state_name(r->after),
	       (unsigned long long)((r->raw_end_ns - r->begin_ns) / 1000));
	for (unsigned int i = 0; i < r->n_exact; i++)
		printf(" %ld", r->exact[i]);
	for (unsigned int i = 0; i < r->n_rough; i++)
		printf(" ~%ld", r->rough[i]);
	printf("%s%s\n", r->limit ? " # " : "", r->limit ? limits[r->limit] : "");
}

static void show_all(const struct sequence *sequence, const struct record *h,
		     const struct record *c, const struct verdict *verdict)
{
	printf("  %s, %s, card %u%s: open %d %d\n", sequence->playback ? "playback" : "capture",
	       sequence->nonblock ? "non-blocking" : "blocking", sequence->card,
	       sequence->keeps ? ", with depth" : "", h->open_ret, c->open_ret);
	for (unsigned int i = 0; i < h->n && i < c->n; i++) {
		printf("  %2u. %s\n", i, h->results[i].text);
		show_values("headroom", &h->results[i]);
		show_values("card", &c->results[i]);
		if (!verdict->agrees && verdict->at == i)
			printf("   ^^ %s\n", verdict->why);
	}
	if (!verdict->agrees && verdict->at == h->n)
		printf("   ^^ %s\n", verdict->why);
}

bool play_and_compare(const struct sequence *sequence, bool show,
		      struct verdict *verdict)
{
	static struct record headroom, card;
	struct sequence played = *sequence;
	unsigned int last = 0, tries = 0;
	bool again;

	do {
		side_play(&played, NULL, &headroom);
		side_play(&played, &headroom, &card);
		compare(&played, &headroom, &card, verdict);
		tries = verdict->at == last ? tries + 1 : 1;
		again = !verdict->agrees && verdict->moving && tries <= TRIES_AT_ONE_CALL &&
			sequence_insert(&played, verdict->at, CALL_SETTLE);
		last = verdict->at + 1;
		if (show && !again)
			show_all(&played, &headroom, &card, verdict);
		record_finish(&headroom);
		record_finish(&card);
	} while (again);
	return verdict->agrees;
}
