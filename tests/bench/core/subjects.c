/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "subject.h"

struct bench_item bench_items[N_ITEMS] __attribute__((aligned(64)));

extern const struct subject subject_headroom, subject_headroom_stream, subject_boost,
	subject_ck, subject_ck_stack, subject_moodycamel, subject_moodycamel_concurrent,
	subject_moodycamel_pool, subject_rte, subject_rte_own_cache,
	subject_rte_without_cache, subject_jack, subject_spa, subject_array_queue,
	subject_seg_queue, subject_mutex, subject_limit_one_line, subject_limit_two_lines,
	subject_limit_copies, subject_limit_no_pool;

const struct subject *const subjects[] = {
	&subject_headroom,
	&subject_headroom_stream,
	&subject_boost,
	&subject_ck,
	&subject_ck_stack,
	&subject_moodycamel,
	&subject_moodycamel_concurrent,
	&subject_moodycamel_pool,
	&subject_rte,
	&subject_rte_own_cache,
	&subject_rte_without_cache,
	&subject_jack,
	&subject_spa,
	&subject_array_queue,
	&subject_seg_queue,
	&subject_mutex,
	&subject_limit_one_line,
	&subject_limit_two_lines,
	&subject_limit_copies,
	&subject_limit_no_pool,
	NULL
};
