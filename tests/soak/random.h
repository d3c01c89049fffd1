/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* What chance decides in a soak: the same for the same seed. */
#ifndef TESTS_SOAK_RANDOM_H
#define TESTS_SOAK_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct soak_random {
	uint64_t state;
};

/** Another sequence for each seed and each which. */
static inline struct soak_random soak_random_seeded(uint64_t seed, unsigned int which)
{
	return (struct soak_random){ seed * 0x9e3779b97f4a7c15u + which + 1 };
}

/** The next number: splitmix64. */
static inline uint64_t soak_random_next(struct soak_random *random)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/** Of low..high. */
static inline unsigned int soak_random_of(struct soak_random *random, unsigned int low,
					  unsigned int high)
{
	return low + (unsigned int)(soak_random_next(random) % (high - low + 1));
}

static inline bool soak_random_one_in(struct soak_random *random, unsigned int n)
{
	return soak_random_of(random, 1, n) == 1;
}

/** Of 1..most, each order of magnitude as often; most itself one time in eight. */
static inline unsigned int soak_random_spread(struct soak_random *random, unsigned int most)
{
	unsigned int bits = 0, value;

	if (soak_random_one_in(random, 8))
		return most;
	while (most >> (bits + 1))
		bits++;
	bits = soak_random_of(random, 0, bits);
	value = soak_random_of(random, 1u << bits, (2u << bits) - 1);
	return value < most ? value : most;
}

#endif
