/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The I/O thread that sleeps on io_wake, and the program that writes and makes requests
 * (plugin/io_thread.c, io_wait.c, io_request.c, wake.c).
 *
 *   move()       hr_io_set_appl_pos(), after frames went into the stream
 *   request()    hr_io_request() with hr_io_await_answer(), hr_wake_force()
 *   look()       hr_io_request_until()
 *   serve()      hr_io_serve_request()
 *   step()       hr_io_see_appl() with moves(), and a look at the stream
 *   sleep()      hr_io_wait() with must_not_wait()
 *
 * Checked: the I/O thread does not go to sleep, the program waiting to be seen by it, before
 * it has seen the last move, though that may lead back to where the program was before;
 * each request that is not given up is served and answered; what is handed over by it, and the stream during
 * the answer, is touched by one side at a time.
 *
 * Abstracted: the device never wakes the thread, and there is no deadline: the worst case.
 * It waits for the program (plan.wait_program) from the first request on. A semaphore is a
 * word that the kernel orders.
 *
 * Sizes: moves before and after the first request.
 */
#define the_announcement_is_a_release_only MUTANT(1)
#define the_thread_looks_at_appl_pos_by_an_acquire_only MUTANT(2)
#define appl_pos_is_stored_by_a_release_only MUTANT(3)
#define the_program_looks_for_the_announcement_by_an_acquire_only MUTANT(4)
#define the_thread_looks_at_appl_pos_before_it_announces MUTANT(5)
#define moves_are_not_compared MUTANT(6)
#define moves_are_counted_after_appl_pos MUTANT(7)
#define moves_are_counted_relaxed MUTANT(8)
#define the_descriptor_is_cleared_before_the_sleep MUTANT(9)
#define a_request_is_made_known_by_a_signal_only MUTANT(10)
#define the_request_is_stored_relaxed MUTANT(11)
#define the_request_is_taken_relaxed MUTANT(12)
#define the_request_is_taken_away_after_the_answer MUTANT(13)
#define the_program_does_not_wait_for_the_answer MUTANT(14)
#define moves_are_loaded_relaxed MUTANT(15)
#define what_is_carried_out_can_be_given_up MUTANT(16)
#define a_look_is_given_up_by_a_store MUTANT(17)
#define who_gives_up_too_late_does_not_wait MUTANT(18)

#define BEFORE (SIZE - 1)
#define AFTER (SIZE + 1)

#define THREADS 2
#define REQUEST 0
#define MOVES 1
#define APPL 2
#define ARMED 3
#define FD 4
#define ANSWERED 5
#define STREAM 6
#define LOCATIONS 7
#define HANDED_OVER 0			/* rewind_pos, result, all of the stream */
#define PLAINS 1
#define KEPT 16
/* Descriptor and semaphore are not loaded, but by a read-modify-write. */
#define reads(t, l) (l != FD && l != ANSWERED)
#include "memory.pml"

#define NONE 0
#define START 1
#define QUIT 2
#define LOOK 3
#define TAKEN 4

byte seen, written;		/* what the I/O thread has seen of the stream, and what there is */

inline signal()
{
	load(ARMED, OR_IF(the_program_looks_for_the_announcement_by_an_acquire_only, ACQUIRE,
			  SEQ_CST), v);
	if
	:: v ->
		exchange(ARMED, 0, SEQ_CST, v);
		if
		:: v -> system_call(FD, 1)
		:: else
		fi
	:: else
	fi;
	v = 0;
	was = 0
}

inline count_move()
{
	moves++;
	store(MOVES, moves, OR_IF(moves_are_counted_relaxed, RELAXED, RELEASE))
}

inline move()
{
	atomic {
		written++;
		store(STREAM, written, RELEASE)
	}
	if
	:: !moves_are_counted_after_appl_pos -> count_move()
	:: else
	fi;
	if
	:: to = 1
	:: to = 2
	fi;
	store(APPL, to, OR_IF(appl_pos_is_stored_by_a_release_only, RELEASE, SEQ_CST));
	to = 0;
	if
	:: moves_are_counted_after_appl_pos -> count_move()
	:: else
	fi;
	signal()
}

/* compare_exchange() that sees the last value if it fails. With an older one the thread would
 * only look once more, but that as often as it likes. */
#define change_request(was, v, order, done) \
	if \
	:: atomic { last_value(REQUEST) == was -> done = true; exchange(REQUEST, v, order, was) } \
	:: else -> \
		d_step { \
			done = false; \
			me_ = me; loc_ = REQUEST; order_ = RELAXED; at_ = mem[REQUEST].n; \
			c_code { mem_load(); }; \
			was = value_ \
		} \
	fi

inline ask(what)
{
	atomic {
		touch(HANDED_OVER);
		store(REQUEST, what, OR_IF(the_request_is_stored_relaxed, RELAXED, RELEASE))
	}
	if
	:: a_request_is_made_known_by_a_signal_only -> signal()
	:: else ->
		store(ARMED, 0, RELAXED);
		system_call(FD, 1)
	fi;
	was = 0
}

inline await_answer()
{
	atomic {
		last_value(ANSWERED);
		system_call(ANSWERED, 0)
	}
	was = 0
}

inline request(what)
{
	ask(what);
	if
	:: !the_program_does_not_wait_for_the_answer -> await_answer()
	:: else
	fi;
	touch(HANDED_OVER)
}

/* The time is over whenever it is. */
inline look()
{
	ask(LOOK);
	if
	:: await_answer()
	:: a_look_is_given_up_by_a_store -> store(REQUEST, NONE, RELAXED)
	:: !a_look_is_given_up_by_a_store ->
		v = LOOK;
		change_request(v, NONE, RELAXED, gave_up);
		if
		:: !gave_up && !who_gives_up_too_late_does_not_wait -> await_answer()
		:: else
		fi
	fi;
	touch(HANDED_OVER);
	gave_up = false;
	v = 0
}

proctype program()
{
	byte me = 0, pick, v, was, to, moves, n;
	bool gave_up;

	do
	:: n < BEFORE -> n++; move()
	:: else -> break
	od;
	request(START);
	if
	:: request(START)	/* or whatever else */
	:: look()
	:: look(); look()	/* the one may be taken for the other */
	:: true
	fi;
	n = 0;
	do
	:: n < AFTER -> n++; move()
	:: else -> break
	od;
	/* It sleeps: there is nothing else that can be done. */
	timeout -> assert(seen == written);
	request(QUIT);
	leave()
}

inline serve()
{
	load(REQUEST, RELAXED, v);
	what = v;
	took = (v != NONE);
	if
	:: took && !what_is_carried_out_can_be_given_up ->
		change_request(v, TAKEN, OR_IF(the_request_is_taken_relaxed, RELAXED, ACQUIRE),
			       took)
	:: else
	fi;
	if
	:: took ->
		touch(HANDED_OVER);
		running = true;
		over = (what == QUIT);
		if
		:: !the_request_is_taken_away_after_the_answer ->
			store(REQUEST, NONE, RELEASE)
		:: else
		fi;
		system_call(ANSWERED, 1);
		if
		:: the_request_is_taken_away_after_the_answer ->
			store(REQUEST, NONE, RELEASE)
		:: else
		fi
	:: else
	fi;
	v = 0;
	was = 0;
	what = 0;
	took = false
}

#define MOVES_LOAD OR_IF(moves_are_loaded_relaxed, RELAXED, ACQUIRE)

inline step()
{
	load(MOVES, MOVES_LOAD, told_moves);
	load(APPL, SEQ_CST, told_appl);
	load(STREAM, ACQUIRE, v);
	seen = v;
	v = 0
}

/* awake: there is something to see. */
inline must_not_wait()
{
	load(REQUEST, ACQUIRE, v);
	awake = v;
	if
	:: running && !awake ->
		load(APPL, OR_IF(the_thread_looks_at_appl_pos_by_an_acquire_only, ACQUIRE,
				 SEQ_CST), v);
		awake = (v != told_appl);
		if
		:: !awake && !moves_are_not_compared ->
			load(MOVES, MOVES_LOAD, v);
			awake = (v != told_moves)
		:: else
		fi
	:: else
	fi;
	v = 0
}

inline sleep()
{
	if
	:: the_thread_looks_at_appl_pos_before_it_announces -> must_not_wait()
	:: else
	fi;
	if
	:: running ->
		store(ARMED, 1, OR_IF(the_announcement_is_a_release_only, RELEASE, SEQ_CST))
	:: else
	fi;
	if
	:: !the_thread_looks_at_appl_pos_before_it_announces -> must_not_wait()
	:: else
	fi;
	if
	:: the_descriptor_is_cleared_before_the_sleep -> system_call(FD, 0)
	:: else
	fi;
	if
	:: !awake ->
		last_value(FD);
		store(ARMED, 0, RELAXED);
		system_call(FD, 0)
	:: awake ->
		store(ARMED, 0, RELAXED)
	fi;
	awake = false;
	was = 0
}

proctype thread_of_the_device()
{
	byte me = 1, pick, v, was, what, told_moves, told_appl;
	bool running, over, awake, took;

	do
	:: !over ->
		serve();
		if
		:: !over ->
			if
			:: running -> step()
			:: else
			fi;
			sleep()
		:: else
		fi
	:: else -> break
	od;
	leave()
}

init {
	atomic {
		choose_mutant();
		run program();
		run thread_of_the_device()
	}
}
