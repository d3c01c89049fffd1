/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "tests/contract/contract.h"

#define TRIES_UNDISTURBED 3	/* an emulated card keeps its time badly */
#define TRIES_MAX 15
#define DISTURBED_NS (2 * HR_NS_PER_MS)

static bool is_near(long a, long b, snd_pcm_uframes_t tolerance)
{
	return labs(a - b) <= (long)tolerance;
}

static bool places_agree(const struct note *a, const struct note *b,
			 snd_pcm_uframes_t tolerance)
{
	if (a->has_place != b->has_place || a->moves != b->moves)
		return false;
	if (!a->has_place)
		return true;
	if (!a->moves)
		return a->avail == b->avail && a->delay == b->delay;
	return is_near(a->avail, b->avail, tolerance) &&
	       is_near(a->behind, b->behind, tolerance);
}

static void print_note(FILE *out, const char *label, const struct note *n)
{
	fprintf(out, "#   %-10.10s %s = %ld, %s", label, n->label, n->result,
		snd_pcm_state_name(n->state));
	if (n->has_place && n->moves)
		fprintf(out, ", buffer made up to %ld, %ld behind", n->avail, n->behind);
	else if (n->has_place)
		fprintf(out, ", avail %ld, delay %ld", n->avail, n->delay);
	fprintf(out, "\n");
}

bool trials_agree(const struct trial *a, const struct trial *b,
		  snd_pcm_uframes_t tolerance, FILE *out)
{
	unsigned int n = a->n_notes > b->n_notes ? a->n_notes : b->n_notes;
	bool agree = true;

	for (unsigned int i = 0; i < n; i++) {
		const struct note *x = i < a->n_notes ? &a->notes[i] : NULL;
		const struct note *y = i < b->n_notes ? &b->notes[i] : NULL;

		if (x && y && strcmp(x->label, y->label) == 0 &&
		    x->result == y->result && x->state == y->state &&
		    places_agree(x, y, tolerance))
			continue;
		agree = false;
		if (x)
			print_note(out, a->device->label, x);
		if (y)
			print_note(out, b->device->label, y);
	}
	return agree;
}

bool device_can(const struct device *device, const struct scenario *scenario)
{
	if ((scenario->needs & NEEDS_COMMANDS) && !device->suspend)
		return false;
	if ((scenario->needs & NEEDS_PERIODS) && !device->tells_periods)
		return false;
	return !(scenario->needs & NEEDS_EAR) || device->heard;
}

static bool agree_once(const struct scenario *scenario, struct device *a, struct device *b,
		       snd_pcm_uframes_t period, snd_pcm_uframes_t buffer, FILE *out)
{
	static struct trial first, second;
	bool agree = trial_run(&first, scenario, a, period, buffer) >= 0 &&
		     trial_run(&second, scenario, b, period, buffer) >= 0 &&
		     first.n_notes > 0 && trials_agree(&first, &second, period, out);

	trial_finish(&first);
	trial_finish(&second);
	fflush(out);	/* a Check test that fails does not */
	return agree;
}

bool scenario_agrees(const struct scenario *scenario, struct device *a, struct device *b,
		     snd_pcm_uframes_t period, snd_pcm_uframes_t buffer, FILE *out)
{
	unsigned int tries = 0, undisturbed = 0;

	while (tries++ < TRIES_MAX && undisturbed < TRIES_UNDISTURBED) {
		bool watched = lateness_watch();
		bool agree = agree_once(scenario, a, b, period, buffer, out);
		uint64_t late_ns = watched ? lateness_ns() : 0;

		if (agree)
			return true;
		undisturbed += late_ns < DISTURBED_NS;
		fprintf(out, "# %s: differs; here threads woke up to %llu us late\n",
			scenario->name, (unsigned long long)late_ns / 1000);
	}
	return false;
}

const struct scenario *scenario_at(size_t i)
{
	static const struct scenario *const all[] = {
		playback_scenarios, threshold_scenarios, move_scenarios,
		fault_scenarios, capture_scenarios,
	};

	for (size_t part = 0; part < sizeof(all) / sizeof(all[0]); part++)
		for (const struct scenario *s = all[part]; s->name; s++)
			if (i-- == 0)
				return s;
	return NULL;
}
