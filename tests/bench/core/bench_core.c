/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * usage: bench_core [ROW...]
 *
 * The core beside what people would use instead, and beside what no program can do
 * without. A ROW is how the name of a row begins, without "core: ". Samples go to
 * standard output as record.h has it.
 */
#include "pair.h"
#include "row.h"
#include "rows.h"
#include "tests/bench/record.h"

int main(int argc, char **argv)
{
	row_select(argv + 1, argc - 1);
	pair_start();
	rows_ring();
	rows_period();
	rows_pool();
	rows_detector();
	rows_health();
	rows_locked();
	rows_preempted();
	rows_wake_up();
	if (!row_any_was_wanted())
		bench_die("no row of this name");
	return 0;
}
