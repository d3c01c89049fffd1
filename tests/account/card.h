/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The other end: the virtual card, what it says that it has heard or supplied, and
 * headroom's counters.
 */
#ifndef TESTS_ACCOUNT_CARD_H
#define TESTS_ACCOUNT_CARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/health_page.h"
#include "tests/account/plan.h"
#include "tests/clocked/command.h"

#define SPANS_MAX 1024

/* World frames from..to-1, or of what was heard. Come back, it is another card. */
struct card_span {
	uint64_t from, to;
	unsigned int card;
};

/* From one prepare to the next, as the log has it. */
struct card_log {
	struct card_span spans[SPANS_MAX];	/* in which it went */
	unsigned int n_spans;
	bool goes;
	bool breaks_off;	/* the next line says what it had */
	unsigned int xruns;
	uint64_t xrun_lost;	/* capture: frames that it had or did not get, */
	uint64_t last_xrun_lost;	/* of which in the last one */
	uint64_t gap;		/* frames that it invented or lost by itself */
	uint64_t broken;	/* playback: frames that it had in xruns */
	uint64_t doubtful;	/* of which it had the time to play, at the next look */
	uint64_t left;		/* frames in it when it stood last, but for an xrun */
	unsigned int restarts;	/* so often it was started anew, after no xrun of its own */
	bool is_anew;
	uint64_t stopped;	/* playback: of broken, those of a stop that came just now */
	bool overflows;		/* more spans than there is room for */
	uint64_t jumped, backed;	/* frames that it jumped over, or back by */
	/* It was away. */
	unsigned int vanishes;
	unsigned int vanishes_in_xrun;	/* of which headroom has seen one of the two only */
	uint64_t vanished;	/* frames that it had then */
	uint64_t away_ns;	/* in all, at most; and at least, while the stream ran */
	uint64_t away_least_ns;
	bool began_away, ended_away;
	unsigned int before;	/* the card that was there before the first span */
	bool was_xrun;		/* since it went last */
};

struct counters {
	uint64_t frames, dropped, silence, xruns, device_xruns;
	enum hr_state state;
};

struct card {
	const struct plan *plan;
	int command_fd;
	struct clocked_words words;
	size_t frame_bytes;
	struct hr_page *page;
	struct counters before;
	long log_at;
	uint64_t heard_at;	/* frames of the file that were looked at */
	uint64_t episodes;	/* so many were looked at */
	unsigned int cards;	/* so many were opened */
	bool is_away, left_in_flight;	/* it vanished; while it went */
	uint64_t away_ns;	/* since then */
	bool may_dodge;	/* the program goes back, or its stream on, when it is dry */
};

/** Make the folder. To be called in the process that plays. False after a line. */
bool card_init(void);

/** Remove it. */
void card_finish(void);

/** Forget the last run; then the PCM of that plan can be opened. */
bool card_begin(struct card *card, const struct plan *plan, snd_config_t **configp);

/** The PCM is open: count from here. */
bool card_attach(struct card *card);

void card_end(struct card *card);

/** What the counters say more than the last time. */
bool card_count(struct card *card, struct counters *more);

/** Of the state, without counting. */
enum hr_state card_state(struct card *card);

/** What the log says since the last time; shows: print it, too. */
bool card_read_log(struct card *card, struct card_log *log, bool shows);

/** Playback: the number of each frame that was heard since the last time, 0 of silence,
 * UINT32_MAX of one that is torn. To be freed. */
uint32_t *card_read_heard(struct card *card, size_t *np);

/** The number in a frame; as above, but for silence. */
uint32_t card_number(const struct card *card, const uint8_t *frame);

/** Write a word of command.h at that time. */
#define CARD_SET(card, word, value, at_ns) \
	card_set(card, offsetof(struct clocked_words, word), value, at_ns)
/** The number that a frame of silence has. */
uint32_t card_silence(const struct plan *plan);

void card_set(struct card *card, size_t offset, uint32_t value, uint64_t at_ns);

#endif
