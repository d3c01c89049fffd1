/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * C11's memory as the models see it, so that an order that is too weak makes them fail.
 *
 * A location keeps all of its values that a thread may still read, oldest first. A load
 * takes any of them that is not older than what its thread has read or written there and
 * not older than what the thread knows: it knows the stores of another thread up to a
 * number of them, clock[]. A release store carries what its thread knows, an acquire load
 * that meets it takes that over; relaxed ones carry and take nothing. So a store may be
 * seen late, and out of order with the others of its thread, unless the orders forbid it.
 * A sequentially consistent load besides sees at least the last sequentially consistent
 * store to its location; a read-modify-write sees the last store of all, and hands on
 * what that carried (release sequence).
 *
 * What is no atomic is touched (touch()): two threads that touch the same, neither
 * knowing of the other's touch, are a data race, which fails, however they interleave.
 *
 * That is RC11 (Lahav et al., "Repairing sequential consistency in C/C++11", PLDI 2017)
 * but for two things: stores to one location are ordered as the steps are, and no load
 * sees what its own thread's later store has brought about. The first takes two threads
 * that store to one word relaxed, the second a relaxed load of another's word before a
 * relaxed store: only `armed` is of the first kind (see wake.pml and io.pml: the system
 * call after it orders it), and nothing of the second.
 *
 * A system call on a descriptor or a semaphore is a read-modify-write that acquires and
 * releases: the kernel takes a lock there.
 *
 * Who includes this defines THREADS, LOCATIONS, PLAINS (words that are no atomics) and
 * KEPT (values kept of each location; too few are reported). `me` is the thread's number.
 *
 * A rule of the C code that can be broken has a name and a number, as in
 *	#define the_slot_is_stored_relaxed MUTANT(1)
 * and is broken where the model asks for that name. tests/model.sh finds these lines and
 * has the environment say which: BROKEN=1.
 */

hidden byte broken;
#define MUTANT(number) (broken == number)
/* The first step of init. */
#define choose_mutant() c_code { broken = getenv("BROKEN") ? atoi(getenv("BROKEN")) : 0; }
/* An order, or whatever else, as it is and as a mutant has it. */
#define OR_IF(mutant, wrong, right) (mutant -> wrong : right)

#define RELAXED 0
#define ACQUIRE 1
#define RELEASE 2
#define ACQ_REL 3
#define SEQ_CST 7

#define LEFT 255			/* the clock of a thread that reads nothing any more */

typedef message {
	byte value;
	byte writer;
	byte time;			/* its place among the writer's stores */
	byte carried[THREADS]
}

typedef location {
	byte n;				/* messages, less 1 */
	byte sc;			/* the last one stored sequentially consistent */
	message m[KEPT]
}

typedef thread {
	byte clock[THREADS];
	byte seen[LOCATIONS]		/* the oldest message it may read there */
}

typedef plain {
	byte touched[THREADS]
}

location mem[LOCATIONS];
thread threads[THREADS];
plain plains[PLAINS];


/* Which threads load a location at all, and touch a plain word. */
#ifndef reads
#define reads(t, l) 1
#endif
#ifndef touches
#define touches(t) 1
#endif

/* Arguments and result of the functions below, within one step. */
hidden byte me_, loc_, value_, order_, at_, ignored_;
hidden byte too_small_, data_race_;

/* The rest of a search is not worth the compiler's time. */
#define FAST __attribute__((optimize("O2")))

c_code {
	/* The oldest message that a thread may read. */
	FAST static int oldest(int thread, int l)
	{
		int i = now.mem[l].n;

		while (i > now.threads[thread].seen[l] && now.mem[l].m[i].time >
		       now.threads[thread].clock[now.mem[l].m[i].writer])
			i--;
		return i;
	}

	FAST static void lower(uchar *time, int by)
	{
		*time = *time > by ? *time - by : 0;
	}

	FAST static int has_left(int thread)
	{
		return now.threads[thread].clock[thread] == LEFT;
	}

	/* What all know makes no difference any more: times begin after it. */
	FAST static void begin_after(int writer, int time)
	{
		for (int t = 0; t < THREADS; t++)
			if (!has_left(t))
				lower(&now.threads[t].clock[writer], time);
		for (int p = 0; p < PLAINS; p++)
			lower(&now.plains[p].touched[writer], time);
		for (int l = 0; l < LOCATIONS; l++)
			for (int i = 0; i <= now.mem[l].n; i++) {
				struct message *m = &now.mem[l].m[i];

				lower(&m->carried[writer], time);
				if (m->writer == writer)
					lower(&m->time, time);
				if (!m->time)
					m->writer = 0;
			}
	}

	/* Up to where all know a writer; those who touch plain words, at least. */
	FAST static int known(int writer, int touchers)
	{
		int least = LEFT;

		for (int t = 0; t < THREADS; t++)
			if (t != writer && (touches(t) || !touchers) &&
			    now.threads[t].clock[writer] < least)
				least = now.threads[t].clock[writer];
		return least;
	}

	FAST static void forget_times(void)
	{
		for (int w = 0; w < THREADS; w++) {
			int time = known(w, 1);

			for (int p = 0; p < PLAINS; p++)
				if (now.plains[p].touched[w] <= time)
					now.plains[p].touched[w] = 0;
			time = known(w, 0);
			if (time)
				begin_after(w, time);
		}
	}

	/* What nobody may read any more is dropped, so that states that differ by
	 * nothing else are one. */
	FAST static void forget(void)
	{
		forget_times();
		for (int l = 0; l < LOCATIONS; l++) {
			struct location *loc = &now.mem[l];
			int least = loc->n;

			for (int t = 0; t < THREADS; t++) {
				now.threads[t].seen[l] = reads(t, l) ? oldest(t, l) : loc->n;
				if (now.threads[t].seen[l] < least)
					least = now.threads[t].seen[l];
			}
			if (!least)
				continue;
			memmove(loc->m, loc->m + least, (loc->n + 1 - least) * sizeof(loc->m[0]));
			memset(loc->m + loc->n + 1 - least, 0, least * sizeof(loc->m[0]));
			loc->n -= least;
			loc->sc = loc->sc > least ? loc->sc - least : 0;
			for (int t = 0; t < THREADS; t++)
				now.threads[t].seen[l] -= least;
		}
	}

	FAST static void take_over(uchar *clock, const uchar *carried)
	{
		for (int t = 0; t < THREADS; t++)
			if (carried[t] > clock[t])
				clock[t] = carried[t];
	}

	FAST static void mem_append(void)
	{
		struct location *loc = &now.mem[loc_];
		uchar *clock = now.threads[me_].clock;
		struct message *m;

		too_small_ = loc->n + 1 >= KEPT || clock[me_] + 1 == LEFT;
		if (too_small_)
			return;
		m = &loc->m[++loc->n];
		m->value = value_;
		m->writer = me_;
		m->time = ++clock[me_];
		if (order_ & RELEASE)
			take_over(m->carried, clock);
		if (order_ == SEQ_CST)
			loc->sc = loc->n;
		now.threads[me_].seen[loc_] = loc->n;
	}

	FAST static void mem_store(void)
	{
		mem_append();
		forget();
	}

	FAST static void mem_first(void)
	{
		struct location *loc = &now.mem[loc_];

		at_ = now.threads[me_].seen[loc_];
		if (order_ == SEQ_CST && loc->sc > at_)
			at_ = loc->sc;
	}

	FAST static void mem_load(void)
	{
		struct message *m = &now.mem[loc_].m[at_];

		value_ = m->value;
		now.threads[me_].seen[loc_] = at_;
		if (order_ & ACQUIRE)
			take_over(now.threads[me_].clock, m->carried);
		forget();
	}

	FAST static void mem_modify(void)
	{
		struct message *last = &now.mem[loc_].m[now.mem[loc_].n];

		if (order_ & ACQUIRE)
			take_over(now.threads[me_].clock, last->carried);
		mem_append();
		if (too_small_)
			return;
		take_over(last[1].carried, last->carried);
		forget();
	}

	FAST static void mem_leave(void)
	{
		memset(now.threads[me_].clock, LEFT, THREADS);
		forget();
	}

	FAST static void mem_touch(void)
	{
		data_race_ = 0;
		for (int t = 0; t < THREADS; t++)
			if (t != me_ && now.plains[loc_].touched[t] > now.threads[me_].clock[t])
				data_race_ = 1;
		now.plains[loc_].touched[me_] = now.threads[me_].clock[me_] + 1;
	}
}

/* A location's first value, known to all. */
#define initial(l, v) mem[l].m[0].value = v

#define store(l, v, order) \
	d_step { \
		me_ = me; loc_ = l; value_ = v; order_ = order; \
		c_code { mem_store(); }; \
		assert(!too_small_) \
	}

/* pick is a byte of the thread's own, 0 before and after. */
#define load(l, order, into) \
	atomic { \
		d_step { \
			me_ = me; loc_ = l; order_ = order; \
			c_code { mem_first(); }; \
			pick = at_ \
		} \
		do \
		:: pick < mem[l].n -> pick++ \
		:: break \
		od; \
		d_step { \
			me_ = me; loc_ = l; order_ = order; at_ = pick; \
			c_code { mem_load(); }; \
			into = value_; \
			pick = 0 \
		} \
	}

/* A read-modify-write: the last value goes to `into`, and v takes its place. */
#define exchange(l, v, order, into) \
	d_step { \
		into = last_value(l); \
		me_ = me; loc_ = l; value_ = v; order_ = order; \
		c_code { mem_modify(); }; \
		assert(!too_small_) \
	}

/* The same, and nobody looks at what was there. */
#define modify(l, v, order) exchange(l, v, order, ignored_)

/* A compare-and-exchange: done says whether `was` was there; if not, it becomes what is. */
#define compare_exchange(l, was, v, order, failure, done) \
	if \
	:: atomic { last_value(l) == was -> done = true; exchange(l, v, order, was) } \
	:: else -> done = false; load(l, failure, was) \
	fi

/* What a system call does to a descriptor or a semaphore. */
#define system_call(l, v) exchange(l, v, ACQ_REL, was)

/* What it is now, whoever knows: for conditions to wait for, and for checks. */
#define last_value(l) mem[l].m[mem[l].n].value
/* Whether the thread would find another message than the one it read last. */
#define has_news(l) (mem[l].n > threads[me].seen[l])

/* An access to what is no atomic. */
#define touch(p) \
	d_step { \
		me_ = me; loc_ = p; \
		c_code { mem_touch(); }; \
		assert(!data_race_) \
	}

/* The thread reads nothing any more. */
#define leave() \
	skip; \
	stay_away(me)

/* It never does. */
#define stay_away(thread) \
	d_step { \
		me_ = thread; \
		c_code { mem_leave(); } \
	}
