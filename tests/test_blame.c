/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* Who was late, by the rules of plugin/blame.h alone. */
#include <check.h>
#include <stdlib.h>

#include "core/clock.h"
#include "plugin/blame.h"
#include "tests/suite.h"

#define N_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))
#define NEVER -1
enum { STOPPED = 1, AWAY = 2, TOO_SOON = 4, WAITS = 8, WAITED = 16, KEPT = 32 };

/* Times in ms. The device's period is 10; the I/O thread had to look at 100. */
static const struct {
	enum hr_cause cause;
	int told, stood, due, woke, now;
	unsigned int flags;
} cases[] = {
	/* One alone. */
	{ HR_CAUSE_PROGRAM, 80, NEVER, 100, 100, 100, 0 },
	{ HR_CAUSE_PROGRAM, 0, NEVER, 100, 100, 100, 0 },
	{ HR_CAUSE_PROGRAM, 99, NEVER, 100, 100, 100, 0 },
	{ HR_CAUSE_SCHEDULER, NEVER, NEVER, 100, 200, 200, 0 },
	{ HR_CAUSE_SCHEDULER, NEVER, NEVER, 100, 111, 111, 0 },
	{ HR_CAUSE_SCHEDULER, NEVER, NEVER, 100, 200, 200, WAITS | WAITED },
	{ HR_CAUSE_SCHEDULER, NEVER, NEVER, 100, 105, 105, AWAY },
	{ HR_CAUSE_PROGRAM, NEVER, NEVER, 100, 200, 200, STOPPED },
	{ HR_CAUSE_DEVICE, NEVER, 50, 100, 100, 100, 0 },
	{ HR_CAUSE_DEVICE, NEVER, NEVER, 100, 100, 200, 0 },
	{ HR_CAUSE_SCHEDULER, NEVER, NEVER, 100, 100, 200, KEPT },
	{ HR_CAUSE_PROGRAM, NEVER, NEVER, 100, 100, 200, STOPPED },
	{ HR_CAUSE_DEVICE, NEVER, NEVER, 100, 100, 100, TOO_SOON },
	/* Late by no more than a period is not late. */
	{ HR_CAUSE_PROGRAM, NEVER, NEVER, 100, 110, 110, 0 },
	{ HR_CAUSE_PROGRAM, NEVER, NEVER, 100, 100, 110, 0 },
	/* Nobody: it depends on whether there was sound all along. */
	{ HR_CAUSE_PROGRAM, NEVER, NEVER, 100, 100, 100, 0 },
	{ HR_CAUSE_PROGRAM, NEVER, NEVER, 100, 100, 100, WAITS },
	{ HR_CAUSE_DEVICE, NEVER, NEVER, 100, 100, 100, WAITS | WAITED },
	/* Program and I/O thread: who was late first. */
	{ HR_CAUSE_PROGRAM, 80, NEVER, 100, 200, 200, 0 },
	{ HR_CAUSE_SCHEDULER, 95, NEVER, 100, 200, 200, 0 },
	{ HR_CAUSE_SCHEDULER, 10, NEVER, 100, 200, 200, WAITS },
	/* Program and device. */
	{ HR_CAUSE_PROGRAM, 30, 50, 100, 100, 100, 0 },
	{ HR_CAUSE_DEVICE, 45, 50, 100, 100, 100, 0 },
	{ HR_CAUSE_DEVICE, 0, NEVER, 100, 100, 100, TOO_SOON },
	{ HR_CAUSE_PROGRAM, 80, NEVER, 100, 100, 200, 0 },
	/* I/O thread and device. */
	{ HR_CAUSE_DEVICE, NEVER, 50, 100, 200, 200, 0 },
	{ HR_CAUSE_DEVICE, NEVER, NEVER, 100, 200, 200, TOO_SOON | STOPPED },
	{ HR_CAUSE_SCHEDULER, NEVER, NEVER, 100, 200, 300, 0 },
	/* All three. */
	{ HR_CAUSE_PROGRAM, 10, 50, 100, 200, 200, 0 },
	/* It had not asked to be woken. */
	{ HR_CAUSE_PROGRAM, NEVER, NEVER, NEVER, 200, 200, 0 },
};

static uint64_t ns(int ms)
{
	return ms == NEVER ? HR_NEVER_NS : (uint64_t)ms * HR_NS_PER_MS;
}

START_TEST(who_was_late_first_is_to_blame)
{
	unsigned int flags = cases[_i].flags;
	const struct hr_facts facts = {
		.period_ns = ns(10),
		.told_ns = ns(cases[_i].told), .stood_ns = ns(cases[_i].stood),
		.due_ns = ns(cases[_i].due), .woke_ns = ns(cases[_i].woke),
		.now_ns = ns(cases[_i].now),
		.was_stopped = flags & STOPPED, .was_away = flags & AWAY,
		.was_kept = flags & KEPT,
		.too_soon = flags & TOO_SOON,
		.waits = flags & WAITS, .waited = flags & WAITED,
	};
	enum hr_cause cause = hr_blame(&facts);

	ck_assert_msg(cause == cases[_i].cause, "case %d: %d, not %d", _i, (int)cause,
		      (int)cases[_i].cause);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("blame");
	TCase *tcase = tcase_create("rules");

	tcase_add_loop_test(tcase, who_was_late_first_is_to_blame, 0, N_OF(cases));
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
