/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Virtual time for one program thread and whatever threads the modules start.
 *
 * The executable defines clock_gettime(), poll(), timerfd_settime() and the like,
 * and so stands between libc and everything loaded into the process. The clock
 * stands still while anything runs; it moves when the program's thread sleeps,
 * polls or advances, and then only once every other thread is asleep in a poll
 * with nothing to read: to the next moment at which something is due. So hours
 * take seconds, and two runs of the same calls see the same times.
 *
 * A thread that goes on without time passing is stopped by an exit of the process
 * with WORLD_SPINS; a program's thread that waits for what nobody will ever do is
 * told so once (EDEADLK), and ends the process with WORLD_HANGS if it goes on.
 *
 * Not instrumented by sanitizers, and without their mutexes: what is ordered only
 * by this must still be seen as a race.
 */
#ifndef TESTS_DIFFERENTIAL_WORLD_H
#define TESTS_DIFFERENTIAL_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#define WORLD_SPINS 97
#define WORLD_HANGS 98

/** Begin at the same moment as always. No other thread may be alive. The caller is
 * the program's thread from now on. */
void world_begin(void);

/** The time, as everybody sees it. */
uint64_t world_now_ns(void);

/** How long the program's thread may wait without a limit of its own. */
void world_set_patience(uint64_t ns);

/** Let time pass until then. */
void world_advance_to(uint64_t ns);

/** Let the other threads do all that they can do now. */
void world_settle(void);

/** The program's thread makes its next call: it may wait anew. */
void world_next_call(void);

/** Nobody but the program's thread gets a processor from one moment to the other, whatever
 * it has to do. One such time at once. */
void world_hold_others(uint64_t from_ns, uint64_t until_ns);

/** At that moment, whoever runs or sleeps then, write a word into a file. False if too
 * many are to come. */
bool world_write_at(uint64_t ns, int fd, int64_t offset, uint32_t word);

/** Let the program's thread wait, whenever it has woken others, until they are at rest: so
 * never two run at once, and each run is like the other in all it does. Or not. */
void world_set_serial(bool serial);

/** How often threads other than the program's have been woken since the begin. */
uint64_t world_wakeups(void);

/** What all threads have done since the begin: calls that are made to the system for them
 * (poll, nanosleep, read, write; not the setting of a timer, which in a real card costs
 * none), those of them that wait, and the times that the clock was read by the caller. */
struct world_effort {
	uint64_t calls, waits, readings;
};

struct world_effort world_effort(void);

/** Threads alive other than the program's. */
unsigned int world_threads(void);

#endif
