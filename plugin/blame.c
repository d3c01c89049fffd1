/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "plugin/blame.h"

static uint64_t program_late_ns(const struct hr_facts *facts)
{
	/* It may have been told at the moment after which the thread did not run. */
	uint64_t patience_ns = facts->period_ns + facts->period_ns / 2;

	return facts->waits ? HR_NEVER_NS : hr_later_ns(facts->told_ns, patience_ns);
}

/* It is not back from the device's calls for so long. */
static bool is_slow(const struct hr_facts *facts)
{
	return facts->now_ns > hr_later_ns(facts->woke_ns, facts->period_ns);
}

static uint64_t thread_late_ns(const struct hr_facts *facts)
{
	if (facts->was_away || facts->woke_ns > hr_later_ns(facts->due_ns, facts->period_ns))
		return facts->due_ns;
	return is_slow(facts) && (facts->was_stopped || facts->was_kept) ? facts->woke_ns :
									   HR_NEVER_NS;
}

static uint64_t device_late_ns(const struct hr_facts *facts)
{
	if (facts->stood_ns != HR_NEVER_NS)
		return facts->stood_ns;
	return is_slow(facts) && !facts->was_stopped && !facts->was_kept ? facts->woke_ns :
									   HR_NEVER_NS;
}

enum hr_cause hr_blame(const struct hr_facts *facts)
{
	uint64_t program_ns = program_late_ns(facts);
	uint64_t thread_ns = thread_late_ns(facts);
	uint64_t device_ns = device_late_ns(facts);

	if (facts->too_soon)
		return HR_CAUSE_DEVICE;
	if (thread_ns < program_ns && thread_ns < device_ns)
		return facts->was_stopped ? HR_CAUSE_PROGRAM : HR_CAUSE_SCHEDULER;
	if (device_ns < program_ns)
		return HR_CAUSE_DEVICE;
	if (program_ns != HR_NEVER_NS)
		return HR_CAUSE_PROGRAM;
	return facts->waits && facts->waited ? HR_CAUSE_DEVICE : HR_CAUSE_PROGRAM;
}
