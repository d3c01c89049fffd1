/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* Concurrency Kit's stack as a pool: the buffer used last is the next. */
#include <ck_stack.h>
#include <stdlib.h>

#include "subject.h"

struct stack {
	ck_stack_t free;
	ck_stack_entry_t entries[POOL_CHUNKS * 4] __attribute__((aligned(64)));
};

static void *pool_create(unsigned int n_threads)
{
	struct stack *stack = aligned_alloc(64, sizeof(*stack));

	(void)n_threads;
	ck_stack_init(&stack->free);
	/* Each on its line, as in the buffer that it would be a part of. */
	for (unsigned int i = 0; i < POOL_CHUNKS; i++)
		ck_stack_push_mpmc(&stack->free, &stack->entries[i * 4]);
	return stack;
}

static void pool_destroy(void *pool)
{
	free(pool);
}

static inline void *pool_acquire(void *pool)
{
	struct stack *stack = pool;

	return ck_stack_pop_mpmc(&stack->free);
}

static inline void pool_release(void *pool, void *buffer)
{
	struct stack *stack = pool;

	ck_stack_push_mpmc(&stack->free, buffer);
}

#include "pool_loops.h"

const struct subject subject_ck_stack = { "ck stack", NULL, NULL, &pool_ops };
