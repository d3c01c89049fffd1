/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * A program that sleeps on app_wake until the I/O thread has frames for it
 * (plugin/wake.c, and who calls it in plugin/pcm_poll.c, pcm_transfer.c, io_handover.c,
 * io_wait.c).
 *
 *   arm(), signal(), force()   hr_wake_arm() with _clear(), _announce(); hr_wake_signal();
 *                              hr_wake_force()
 *   settle()                   hr_pcm_settle_wake()
 *   look()                     hr_io_ready(), of a capture: avail by pos and appl_pos, fault
 *   sleeper()                  snd_pcm_wait() and a read of avail_min frames, again and
 *                              again: hr_pcm_poll_descriptors(), poll(), _poll_revents(),
 *                              transfer()
 *   other()                    a second thread, which asks for events once
 *   io()                       hr_io_publish(), hr_io_latch(); or stop() in io_request.c
 *
 * Checked: nobody sleeps for ever while there is what it waits for. All of the frames are
 * read and the fault, if there is one, is seen, or it is an invalid end state.
 *
 * Abstracted: hr_pcm's lock is one exchange; drained and period_over are, like the fault,
 * one more word that is stored before the signal. hw_params has made the descriptor
 * readable.
 *
 * Sizes: 1: one thread, avail_min is 2, with a fault or without. 2: two threads, avail_min
 * is 1.
 */
#define it_is_announced_before_it_is_cleared MUTANT(1)
#define the_announcement_is_a_release_only MUTANT(2)
#define the_waker_looks_for_the_announcement_by_an_acquire_only MUTANT(3)
#define the_position_is_published_by_a_release_only MUTANT(4)
#define the_program_looks_at_the_position_by_an_acquire_only MUTANT(5)
#define the_program_does_not_look_again_once_it_has_announced MUTANT(6)
#define who_finds_itself_ready_makes_nothing_readable MUTANT(7)
#define the_waker_takes_the_announcement_back_after_it_has_written MUTANT(8)
#define the_fault_is_stored_after_the_signal MUTANT(9)
#define the_waker_looks_whether_the_program_is_ready_before_it_publishes MUTANT(10)
#define the_fault_is_stored_by_a_release_only MUTANT(11)

#define NEED (3 - SIZE)
#define THREADS (SIZE + 1)
#define POS 0
#define APPL 1
#define FAULT 2
#define ARMED 3
#define FD 4
#define LOCK 5
#define LOCATIONS 6
#define PLAINS 1
#define KEPT 24
/* Descriptor and lock are not loaded, but by a read-modify-write. */
#define reads(t, l) (l < FD)
#include "memory.pml"

/* By the waiter (LOOK: how it looks at pos) or by the I/O thread. */
inline look(order)
{
	load(FAULT, SEQ_CST, ready);
	if
	:: !ready ->
		load(APPL, SEQ_CST, was);
		load(POS, order, v);
		ready = (v >= was + NEED);
		v = 0;
		was = 0
	:: else
	fi
}

inline announce()
{
	store(ARMED, 1, OR_IF(the_announcement_is_a_release_only, RELEASE, SEQ_CST))
}

inline arm(readable)
{
	load(ARMED, RELAXED, v);
	if
	:: readable || !v ->
		if
		:: it_is_announced_before_it_is_cleared -> announce()
		:: else
		fi;
		system_call(FD, 0);
		if
		:: !it_is_announced_before_it_is_cleared -> announce()
		:: else
		fi
	:: else
	fi;
	v = 0;
	was = 0
}

inline signal()
{
	load(ARMED, OR_IF(the_waker_looks_for_the_announcement_by_an_acquire_only, ACQUIRE,
			  SEQ_CST), v);
	if
	:: v && the_waker_takes_the_announcement_back_after_it_has_written ->
		system_call(FD, 1);
		exchange(ARMED, 0, SEQ_CST, v)
	:: v && !the_waker_takes_the_announcement_back_after_it_has_written ->
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

inline force()
{
	store(ARMED, 0, RELAXED);
	system_call(FD, 1);
	was = 0
}

#define PROGRAM_S OR_IF(the_program_looks_at_the_position_by_an_acquire_only, ACQUIRE, SEQ_CST)

inline settle(readable)
{
	look(PROGRAM_S);
	if
	:: !ready ->
		arm(readable);
		if
		:: !the_program_does_not_look_again_once_it_has_announced -> look(PROGRAM_S)
		:: else
		fi;
		if
		:: ready && !who_finds_itself_ready_makes_nothing_readable -> signal()
		:: else
		fi
	:: ready -> signal()
	fi;
	ready = false
}

inline lock()
{
	atomic {
		last_value(LOCK) == 0;
		system_call(LOCK, 1)
	}
	was = 0
}

inline unlock()
{
	system_call(LOCK, 0);
	was = 0
}

proctype io(byte frames; bool fails)
{
	byte me = 0, pick, v, was, pos;
	bool ready;

	do
	:: pos < frames ->
		pos++;
		if
		:: the_waker_looks_whether_the_program_is_ready_before_it_publishes ->
			look(SEQ_CST)
		:: else
		fi;
		store(POS, pos, OR_IF(the_position_is_published_by_a_release_only, RELEASE,
				      SEQ_CST));
		if
		:: !the_waker_looks_whether_the_program_is_ready_before_it_publishes ->
			look(SEQ_CST)
		:: else
		fi;
		if
		:: ready -> signal()
		:: else
		fi;
		ready = false
	:: else -> break
	od;
	if
	:: fails ->
		if
		:: !the_fault_is_stored_after_the_signal ->
			store(FAULT, 1, OR_IF(the_fault_is_stored_by_a_release_only, RELEASE,
					      SEQ_CST))
		:: else
		fi;
		if
		:: signal()
		:: force()
		fi;
		if
		:: the_fault_is_stored_after_the_signal -> store(FAULT, 1, SEQ_CST)
		:: else
		fi
	:: else
	fi;
	leave()
}

/* A look at the descriptor by poll(). */
inline poll()
{
	atomic {
		last_value(FD);
		system_call(FD, 1)
	}
	was = 0
}

proctype sleeper(byte frames; bool fails)
{
	byte me = 1, pick, v, was, appl;
	bool ready, over;

	do
	:: !over ->
		lock();
		settle(false);
		unlock();
		poll();
		lock();
		look(PROGRAM_S);
		if
		:: ready ->
			ready = false;
			load(POS, SEQ_CST, v);
			if
			:: v >= appl + NEED ->
				appl = appl + NEED;
				store(APPL, appl, SEQ_CST);
				settle(false)
			:: else
			fi;
			load(FAULT, SEQ_CST, v);
			over = (v == fails && appl == frames);
			v = 0
		:: else -> settle(true)
		fi;
		unlock()
	:: else -> break
	od;
	leave()
}

proctype other()
{
	byte me = 2, pick, v, was;
	bool ready, readable = last_value(FD);

	lock();
	settle(readable);
	unlock();
	leave()
}

init {
	byte frames;
	bool fails;

	atomic {
		choose_mutant();
		initial(FD, 1);
		if
		:: frames = 4 / SIZE
		:: SIZE == 1 -> frames = 4; fails = true
		fi;
		run io(frames, fails);
		run sleeper(frames, fails);
		if
		:: SIZE > 1 -> run other()
		:: else
		fi
	}
}
