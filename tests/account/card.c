/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "tests/account/card.h"

#include "core/episodes.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/differential/world.h"

#define LOG_BYTES (1u << 20)

static char folder[64], heard[96], log_file[96], command[96];
static int command_fd = -1;

bool card_init(void)
{
	char counters[128];

	snprintf(folder, sizeof(folder), "/dev/shm/account-XXXXXX");
	if (!getenv("CLOCKED_LIB") || !getenv("HEADROOM_PCM_LIB") || !mkdtemp(folder)) {
		fputs("no CLOCKED_LIB or HEADROOM_PCM_LIB, or no folder\n", stderr);
		return false;
	}
	snprintf(heard, sizeof(heard), "%s/heard", folder);
	snprintf(log_file, sizeof(log_file), "%s/log", folder);
	snprintf(command, sizeof(command), "%s/command", folder);
	snprintf(counters, sizeof(counters), "%s/counters", folder);
	setenv("HEADROOM_DIR", counters, 1);
	command_fd = clocked_command_make(command);
	return command_fd >= 0;
}

static int remove_one(const char *path, const struct stat *stat, int kind,
		      struct FTW *ftw)
{
	(void)stat;
	(void)kind;
	(void)ftw;
	return remove(path);
}

void card_finish(void)
{
	if (command_fd >= 0)
		close(command_fd);
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

bool card_begin(struct card *card, const struct plan *plan, snd_config_t **configp)
{
	const struct plan_format *format = &plan_formats[plan->format];
	snd_input_t *input;
	char text[2048];
	int err;

	*card = (struct card){ .plan = plan, .command_fd = command_fd };
	card->frame_bytes = format->channels *
		(size_t)snd_pcm_format_physical_width(format->format) / 8;
	unlink(heard);
	unlink(log_file);
	/* No real-time priority: this may be one processor, and be busy. */
	snprintf(text, sizeof(text),
		 "pcm_type.clocked.lib \"%s\"\npcm_type.headroom.lib \"%s\"\n"
		 "pcm.card { type clocked heard \"%s\" heard_append 1 log \"%s\" command \"%s\" rate_ppm %d }\n"
		 "pcm.x { type headroom slave { pcm card period %u buffer %u } rt_priority 0 "
		 "depth_ms %u on_underrun %s on_overrun %s on_device_loss %s }\n",
		 getenv("CLOCKED_LIB"), getenv("HEADROOM_PCM_LIB"), heard, log_file, command,
		 plan->rate_ppm, plan->slave_period, plan->slave_buffer, plan->depth_ms,
		 plan->on_underrun_silence ? "silence" : "xrun",
		 plan->on_overrun_drop ? "drop" : "xrun",
		 plan->reconnects ? "reconnect" : "error");
	if (pwrite(command_fd, &card->words, sizeof(card->words), 0) < 0 ||
	    snd_config_top(configp) < 0)
		return false;
	if (snd_input_buffer_open(&input, text, (ssize_t)strlen(text)) < 0)
		return false;
	err = snd_config_load(*configp, input);
	snd_input_close(input);
	return err == 0;
}

static bool read_counters(struct card *card, struct counters *now)
{
	struct hr_health_snapshot snapshot;

	if (hr_page_refresh(card->page, false) < 0 ||
	    hr_health_get_snapshot(hr_page_health(card->page), 0, &snapshot, 0) < 0)
		return false;
	*now = (struct counters){
		.frames = hr_page_get(card->page, HR_STAT_FRAMES),
		.dropped = snapshot.frames_dropped,
		.silence = snapshot.frames_silence,
		.xruns = snapshot.overruns,
		.device_xruns = hr_page_get(card->page, HR_STAT_DEVICE_XRUNS),
		.state = (enum hr_state)hr_page_get(card->page, HR_STAT_STATE),
	};
	return true;
}

bool card_attach(struct card *card)
{
	if (hr_page_attach(&card->page, HR_PAGE_OWN, "x", card->plan->playback ?
			   HR_PLAYBACK : HR_CAPTURE, 0) < 0)
		return false;
	card->episodes = hr_page_count_episodes(card->page);
	return read_counters(card, &card->before);
}

void card_end(struct card *card)
{
	if (card->page)
		hr_page_close(card->page, 0);
	card->page = NULL;
}

bool card_count(struct card *card, struct counters *more)
{
	struct counters now;

	if (!read_counters(card, &now))
		return false;
	*more = (struct counters){
		.frames = now.frames - card->before.frames,
		.dropped = now.dropped - card->before.dropped,
		.silence = now.silence - card->before.silence,
		.xruns = now.xruns - card->before.xruns,
		.device_xruns = now.device_xruns - card->before.device_xruns,
		.state = now.state,
	};
	card->before = now;
	return true;
}

enum hr_state card_state(struct card *card)
{
	struct counters now = { 0 };

	(void)read_counters(card, &now);
	return now.state;
}

static void note_going(struct card *card, struct card_log *log, uint64_t frame)
{
	if (log->goes || log->n_spans == SPANS_MAX) {
		log->overflows = true;
		return;
	}
	log->goes = true;
	log->is_anew = log->n_spans > 0 && !log->was_xrun;
	log->was_xrun = false;
	log->spans[log->n_spans].from = frame;
	log->spans[log->n_spans].card = card->cards;
}

static void note_standing(struct card *card, struct card_log *log, uint64_t frame,
			  uint64_t left)
{
	card->left_in_flight = log->goes;
	log->stopped = 0;
	if (log->goes)
		log->spans[log->n_spans++].to = frame;
	log->goes = false;
	/* Of a capture that is in the line of the xrun. */
	log->left = log->breaks_off ? 0 : left;
	if (log->breaks_off)
		log->broken += left;
	if (log->breaks_off && log->last_xrun_lost >= left)
		log->doubtful += left;
	log->breaks_off = false;
}

static void note_xrun(struct card_log *log, uint64_t lost)
{
	log->xruns++;
	log->xrun_lost += lost;
	log->last_xrun_lost = lost;
	log->breaks_off = true;
	log->was_xrun = true;
}

/* It was begun anew: what it had when it was stopped, by nothing of its own, is gone. */
static void note_start(const struct plan *plan, struct card_log *log)
{
	log->restarts += log->is_anew;
	if (plan->playback)
		log->broken += log->left;
	else
		log->xrun_lost += log->left;
	log->left = 0;
}

/* Playback: what it had, nobody will hear; before it says what it has when it is prepared. */
static void note_stop(const struct plan *plan, struct card_log *log)
{
	log->stopped = plan->playback ? log->left : 0;
	log->broken += log->stopped;
	log->left -= log->stopped;
}

static void note_vanish(struct card *card, struct card_log *log, uint64_t ns)
{
	card->is_away = true;
	card->away_ns = ns;
	card->left_in_flight = card->left_in_flight && !log->was_xrun;
	log->vanishes++;
	log->vanishes_in_xrun += log->was_xrun;
	log->broken -= log->stopped;
	log->vanished += log->left + log->stopped;
	log->left = log->stopped = 0;
}

static void note_away(struct card *card, struct card_log *log, uint64_t until_ns)
{
	if (!card->is_away)
		return;
	log->away_ns += until_ns - card->away_ns;
	card->away_ns = until_ns;
}

/* The next card has begun to go. */
static void note_back(struct card *card, struct card_log *log, uint64_t ns)
{
	uint64_t since_ns = card->away_ns;

	note_away(card, log, ns);
	if (card->is_away && card->left_in_flight)
		log->away_least_ns += ns - since_ns;
	card->is_away = false;
}

static void note_line(struct card *card, struct card_log *log, const char *line)
{
	unsigned long long frame, n;
	char event[16];

	if (sscanf(line, "%15s %*s at frame %llu %*s %llu", event, &frame, &n) != 3)
		return;
	if (strcmp(event, "open") == 0)
		card->cards++;
	else if (strcmp(event, "goes") == 0)
		note_going(card, log, frame);
	else if (strcmp(event, "stands") == 0)
		note_standing(card, log, frame, n);
	else if (strcmp(event, "gap") == 0)
		log->gap += n;
	else if (strcmp(event, "xrun") == 0)
		note_xrun(log, n);
	else if (strcmp(event, "start") == 0)
		note_start(card->plan, log);
	else if (strcmp(event, "stop") == 0)
		note_stop(card->plan, log);
	else if (strcmp(event, "jump") == 0)
		log->jumped += n;
	else if (strcmp(event, "back") == 0)
		log->backed += n;
	else if (strcmp(event, "vanish") == 0)
		note_vanish(card, log, n);
	else if (strcmp(event, "world") == 0)
		note_back(card, log, n);
}

bool card_read_log(struct card *card, struct card_log *log, bool shows)
{
	FILE *file = fopen(log_file, "r");
	char line[160];

	memset(log, 0, sizeof(*log));
	if (!file || fseek(file, card->log_at, SEEK_SET) < 0)
		return false;
	log->began_away = card->is_away;
	log->before = card->cards ? card->cards : 1;
	/* Not for as long as it was there. */
	card->left_in_flight = false;
	while (fgets(line, sizeof(line), file)) {
		if (shows)
			printf("     log: %s", line);
		note_line(card, log, line);
	}
	note_away(card, log, world_now_ns());
	log->ended_away = card->is_away;
	card->log_at = ftell(file);
	fclose(file);
	return true;
}

uint32_t card_number(const struct card *card, const uint8_t *frame)
{
	uint32_t number, other;

	memcpy(&number, frame, sizeof(number));
	for (size_t i = sizeof(number); i < card->frame_bytes; i += sizeof(number)) {
		memcpy(&other, frame + i, sizeof(other));
		if (other != number)
			return UINT32_MAX;
	}
	return number;
}

uint32_t card_silence(const struct plan *plan)
{
	return plan_formats[plan->format].format == SND_PCM_FORMAT_U8 ? 0x80808080u : 0;
}

uint32_t *card_read_heard(struct card *card, size_t *np)
{
	uint32_t silence = card_silence(card->plan);
	FILE *file = fopen(heard, "rb");
	uint32_t *numbers = NULL;
	uint8_t *data = NULL;
	struct stat st;
	size_t n = 0;

	if (!file || fstat(fileno(file), &st) < 0)
		goto out;
	n = (size_t)st.st_size / card->frame_bytes - card->heard_at;
	data = malloc(n * card->frame_bytes + 1);
	numbers = malloc((n + 1) * sizeof(*numbers));
	if (!data || !numbers ||
	    fseek(file, (long)(card->heard_at * card->frame_bytes), SEEK_SET) < 0 ||
	    fread(data, card->frame_bytes, n, file) != n)
		abort();
	for (size_t i = 0; i < n; i++) {
		numbers[i] = card_number(card, data + i * card->frame_bytes);
		if (numbers[i] == silence)
			numbers[i] = 0;
	}
	card->heard_at += n;
out:
	free(data);
	if (file)
		fclose(file);
	*np = n;
	return numbers;
}

void card_set(struct card *card, size_t offset, uint32_t value, uint64_t at_ns)
{
	(void)world_write_at(at_ns, card->command_fd, (int64_t)offset, value);
}
