/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/differential/side.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/clocked/command.h"
#include "tests/differential/calls.h"
#include "tests/differential/world.h"

#define MS UINT64_C(1000000)

/* What kinds of device there are. All of them take every access: headroom offers the
 * four of them on any device, which the device alone would refuse. */
static const char *const cards[N_CARDS] = {
	"", "", "", "", "formats [ S16_LE S32_LE ]",
	"rates [ 44100 48000 ] period_min 64", "buffer_max 4096 channels_max 2",
};

bool side_trace;

static char folder[64], heard[96], command[96];
static int command_fd = -1;
static snd_config_t *configs[N_CARDS][2][2];

static bool load_config(unsigned int card, bool keeps, bool commanded)
{
	const char *clocked = getenv("CLOCKED_LIB"), *pcm = getenv("HEADROOM_PCM_LIB");
	snd_config_t **config = &configs[card][keeps][commanded];
	char commands[128] = "";
	snd_input_t *input;
	char text[2048];
	int err;

	if (!clocked || !pcm) {
		fputs("CLOCKED_LIB or HEADROOM_PCM_LIB is not set\n", stderr);
		return false;
	}
	if (commanded)
		snprintf(commands, sizeof(commands), "command \"%s\"", command);
	/* No real-time priority: this may be one processor, and be busy. */
	snprintf(text, sizeof(text),
		 "pcm_type.clocked.lib \"%s\"\npcm_type.headroom.lib \"%s\"\n"
		 "pcm.card { type clocked heard \"%s\" %s %s }\n"
		 "pcm.x { type headroom slave.pcm card rt_priority 0 depth_ms %d }\n",
		 clocked, pcm, heard, commands, cards[card],
		 keeps ? 200 : 0);
	if (snd_config_top(config) < 0 ||
	    snd_input_buffer_open(&input, text, (ssize_t)strlen(text)) < 0)
		return false;
	err = snd_config_load(*config, input);
	snd_input_close(input);
	return err == 0;
}

bool side_init(void)
{
	char counters[128];

	snprintf(folder, sizeof(folder), "/dev/shm/differential-XXXXXX");
	if (!mkdtemp(folder))
		return false;
	snprintf(heard, sizeof(heard), "%s/heard", folder);
	snprintf(command, sizeof(command), "%s/command", folder);
	snprintf(counters, sizeof(counters), "%s/counters", folder);
	setenv("HEADROOM_DIR", counters, 1);
	command_fd = clocked_command_make(command);
	if (command_fd < 0)
		return false;
	for (unsigned int i = 0; i < 4 * N_CARDS; i++)
		if (!load_config(i / 4, i & 1, i & 2))
			return false;
	return calls_init();
}

static int remove_one(const char *path, const struct stat *stat, int kind,
		      struct FTW *ftw)
{
	(void)stat;
	(void)kind;
	(void)ftw;
	return remove(path);
}

void side_finish(void)
{
	for (unsigned int i = 0; i < 4 * N_CARDS; i++)
		if (configs[i / 4][i & 1][i / 2 & 1])
			snd_config_delete(configs[i / 4][i & 1][i / 2 & 1]);
	if (command_fd >= 0)
		close(command_fd);
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void read_heard(struct record *record)
{
	FILE *file = fopen(heard, "rb");
	struct stat st;

	if (!file)
		return;
	if (fstat(fileno(file), &st) == 0 && st.st_size > 0) {
		record->heard = malloc((size_t)st.st_size);
		if (record->heard)
			record->heard_bytes = fread(record->heard, 1,
						    (size_t)st.st_size, file);
	}
	fclose(file);
}

static bool is_moving(snd_pcm_state_t state)
{
	return state == SND_PCM_STATE_RUNNING || state == SND_PCM_STATE_DRAINING;
}

/* A call that took time may end a step apart on the two sides. */
static void align(struct side *side)
{
	struct result *result = side->result;

	result->raw_end_ns = world_now_ns();
	if (side->first) {
		world_advance_to(side->first->end_ns);
		side->adrift = side->adrift || world_now_ns() > side->first->end_ns;
	} else if (result->ret == -EDEADLK) {
		/* The other one may lose its patience later, but not by more. */
		world_advance_to(result->raw_end_ns + side->patience_ns + 500 * MS);
	} else if (result->kind == CALL_DRAIN_AND_DROP) {
		world_advance_to(result->raw_end_ns + 500 * MS);
	} else if (result->raw_end_ns != result->begin_ns &&
		   (is_moving(result->before) || is_moving(result->after) ||
		    result->after == SND_PCM_STATE_XRUN)) {
		world_advance_to(result->raw_end_ns + 2 * MS +
				 (uint64_t)side->apart * 1000 * MS / side->rate);
	}
	result->end_ns = world_now_ns();
}

static void play_call(struct side *side, const struct call *call)
{
	struct result *result = side->result;

	world_next_call();
	result->begin_ns = world_now_ns();
	result->before = snd_pcm_state(side->pcm);
	if (side_trace)
		fprintf(stderr, "    %s: kind %u in %s at %llu ns\n", side->first ? "card" : "headroom",
			call->kind, snd_pcm_state_name(result->before),
			(unsigned long long)result->begin_ns);
	call_make(side, call);
	if (side_trace)
		fprintf(stderr, "      %s = %ld\n", result->text, result->ret);
	result->after = snd_pcm_state(side->pcm);
	result->kind = call->kind;
	result->limit = side->limit;
	result->goes_on = side->goes_on;
	result->was_reset = side->was_reset;
	result->rate = side->rate;
	result->patience_ns = side->patience_ns;
	result->apart = (long)side->apart;
	result->step = (long)(side->period < side->rate / 100 ? side->period :
			      side->rate / 100);
	/* What the device has begun it does not give back: a period of its own, which is the
	 * program's up to 25 ms. */
	result->given_step = side->was_reset && side->period <= side->rate / 40 ?
			     (long)side->period : result->step;
	if (call->kind == CALL_ADVANCE || call->kind == CALL_SETTLE ||
	    call->kind == CALL_SUSPEND)
		result->raw_end_ns = result->end_ns = world_now_ns();
	else
		align(side);
	world_settle();
}

static void play_calls(struct side *side, const struct sequence *sequence,
		       const struct record *first, struct record *record)
{
	for (unsigned int i = 0; i < sequence->n; i++) {
		side->result = &record->results[i];
		side->first = first ? &first->results[i] : NULL;
		record->n = i + 1;
		/* What no longer says anything on one side does not on the other. */
		if (i > 0 && first)
			side_limit(side, side->first[-1].limit);
		/* Outside of the buffer the card itself is lost, and may spin. */
		if (first && side->limit == LIMIT_POSITION &&
		    side->first->limit != LIMIT_NONE)
			world_advance_to(side->first->end_ns);
		else
			play_call(side, &sequence->calls[i]);
	}
}

void side_play(const struct sequence *sequence, const struct record *first,
	       struct record *record)
{
	/* What is drawn before anything is installed. */
	struct side side = {
		.playback = sequence->playback, .nonblock = sequence->nonblock,
		.format = SND_PCM_FORMAT_S16_LE, .rate = 48000, .channels = 2,
		.command_fd = sequence->commanded ? command_fd : -1,
		.patience_ns = 1000 * MS, .period = 256, .buffer = 1024, .apart = 256,
		.stop = 1024, .boundary = 1u << 30, .frame_bytes = 4,
	};
	const struct clocked_words calm = { 0 };

	memset(record, 0, sizeof(*record));
	world_begin();
	world_set_patience(side.patience_ns);
	unlink(heard);
	if (sequence->commanded &&
	    pwrite(command_fd, &calm, sizeof(calm), 0) < 0)
		return;
	record->open_ret = snd_pcm_open_lconf(&side.pcm, first ? "card" : "x",
		sequence->playback ? SND_PCM_STREAM_PLAYBACK : SND_PCM_STREAM_CAPTURE,
		sequence->nonblock ? SND_PCM_NONBLOCK : 0,
		configs[sequence->card][sequence->keeps][sequence->commanded]);
	if (record->open_ret == 0) {
		play_calls(&side, sequence, first, record);
		world_next_call();
		record->close_ret = snd_pcm_close(side.pcm);
	}
	record->same_sound = !side.went_on && !side.rewound;
	record->threads = world_threads();
	record->wakeups = world_wakeups();
	record->end_ns = world_now_ns();
	if (sequence->playback)
		read_heard(record);
}

void record_finish(struct record *record)
{
	for (unsigned int i = 0; i < record->n; i++)
		free(record->results[i].data);
	free(record->heard);
	memset(record, 0, sizeof(*record));
}
