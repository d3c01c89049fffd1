/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "tests/faults/account.h"

#define RATE 48000u
#define PERIOD 480u
#define BUFFER 9600u
#define LOOKS_PER_PERIOD 24u
#define LOOKS_MIN 40u
#define BLOCK 480u		/* frames of a write or read */

struct account account;

void account_set_up(void)
{
	account = (struct account){ 0 };
	pcm_rig_init(&account.rig);
	rig_be_commanded(&account.rig);
}

void account_tear_down(void)
{
	pcm_rig_finish(&account.rig);
}

void account_install(snd_pcm_uframes_t period, snd_pcm_uframes_t buffer)
{
	const struct rig_params params = {
		.access = SND_PCM_ACCESS_RW_INTERLEAVED,
		.format = SND_PCM_FORMAT_S32_LE,
		.channels = 1, .rate = RATE, .period = period, .buffer = buffer,
	};

	rig_install(&account.rig, &params);
	if (account.playback)
		rig_thresholds(&account.rig, (long)buffer + 1, 0, 0);
}

void account_open_only(snd_pcm_stream_t stream, const char *card_keys,
		       const char *headroom_keys)
{
	account.playback = stream == SND_PCM_STREAM_PLAYBACK;
	ck_assert_int_eq(rig_try_open_headroom(&account.rig, stream, 0, card_keys,
					       headroom_keys), 0);
}

void account_open(snd_pcm_stream_t stream, const char *headroom_keys)
{
	account_open_only(stream, "", headroom_keys);
	account_install(PERIOD, BUFFER);
}

void account_start(void)
{
	ck_assert_int_eq(snd_pcm_start(account.rig.pcm), 0);
}

static snd_pcm_sframes_t write_some(uint32_t n)
{
	uint32_t block[BLOCK];
	snd_pcm_sframes_t done;

	for (uint32_t i = 0; i < n; i++)
		block[i] = account.taken + 1 + i;
	done = snd_pcm_writei(account.rig.pcm, block, n);
	if (done > 0)
		account.taken += (uint32_t)done;
	return done;
}

/* A card of S32_LE and one channel records the number of each frame of its world. */
static void note_read(uint32_t number)
{
	if (number == 0 && account.next) {
		account.silent++;
		return;
	}
	ck_assert_msg(number >= account.next, "frame %u after %u", number,
		      account.next - 1);
	account.missing += number - account.next;
	account.next = number + 1;
}

static snd_pcm_sframes_t read_some(uint32_t n)
{
	uint32_t block[BLOCK];
	snd_pcm_sframes_t done = snd_pcm_readi(account.rig.pcm, block, n);

	for (snd_pcm_sframes_t i = 0; i < done; i++)
		note_read(block[i]);
	if (done > 0)
		account.read += (uint32_t)done;
	return done;
}

static int recover(int err)
{
	snd_pcm_t *pcm = account.rig.pcm;
	int result;

	if (err == -ESTRPIPE) {
		account.n_suspends++;
		/* alsa-lib says that it was, whatever a plug-in says. */
		result = snd_pcm_resume(pcm);
		if (result == 0 && snd_pcm_state(pcm) != SND_PCM_STATE_SUSPENDED)
			return 0;
	} else if (err == -EPIPE) {
		account.n_xruns++;
	} else {
		return err;
	}
	return snd_pcm_prepare(pcm);
}

/* As a start threshold does where the buffer is full, or the end comes before. */
static int start_if_full(uint32_t last)
{
	snd_pcm_t *pcm = account.rig.pcm;

	if (account.waits || snd_pcm_state(pcm) != SND_PCM_STATE_PREPARED)
		return 0;
	if (account.playback && account.taken < last && snd_pcm_avail_update(pcm) > 0)
		return 0;
	return snd_pcm_start(pcm);
}

int account_go_on(uint32_t last)
{
	const uint32_t *at = account.playback ? &account.taken : &account.next;

	while (*at < last) {
		uint32_t n = last - *at < BLOCK ? last - *at : BLOCK;
		snd_pcm_sframes_t done = account.playback ? write_some(n) : read_some(n);
		int err = done < 0 ? recover((int)done) : 0;

		ck_assert_int_ne(done, 0);
		if (err == 0)
			err = start_if_full(last);
		if (err == -EPIPE || err == -ESTRPIPE)
			err = recover(err);
		if (err < 0)
			return err;
	}
	return 0;
}

int account_drain(void)
{
	int err = snd_pcm_drain(account.rig.pcm);

	while (err == -ESTRPIPE) {
		ck_assert_int_eq(recover(err), 0);
		err = snd_pcm_drain(account.rig.pcm);
	}
	return err;
}

int64_t account_counter(const char *name)
{
	char full[64];

	snprintf(full, sizeof(full), "Headroom %s %s",
		 account.playback ? "Playback" : "Capture", name);
	return rig_counter(&account.rig, full);
}

uint64_t account_log(const char *event)
{
	size_t size;
	char *text = (char *)rig_slurp(account.rig.log, &size);
	uint64_t sum = 0;

	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		unsigned long long lost;
		char word[16];

		if (sscanf(line, "%15s %*s at frame %*u lost %llu", word, &lost) == 2 &&
		    strcmp(word, event) == 0)
			sum += lost;
	}
	free(text);
	return sum;
}

struct ear {
	uint32_t distinct, repeated, silent;
};

/* None out of order, but for what is heard once more. */
static struct ear listen(void)
{
	size_t size;
	uint8_t *heard = rig_slurp(account.rig.heard, &size);
	struct ear ear = { 0 };
	uint32_t last = 0;

	for (size_t i = 0; i + 4 <= size; i += 4) {
		uint32_t number;

		memcpy(&number, heard + i, 4);
		if (number == 0) {
			ear.silent++;
		} else if (number > last) {
			ear.distinct++;
			last = number;
		} else {
			ear.repeated++;
		}
	}
	free(heard);
	ck_assert_uint_le(last, account.taken);
	return ear;
}

static void close_playback(void)
{
	const int64_t dropped = account_counter("Frames Dropped");
	const struct ear ear = listen();
	const int64_t unheard = (int64_t)account.taken - ear.distinct;

	ck_assert_msg(dropped + (int64_t)account_log("jump") == unheard,
		      "taken %u, heard %u, dropped %lld, left out by the card %llu",
		      account.taken, ear.distinct, (long long)dropped,
		      (unsigned long long)account_log("jump"));
	ck_assert_uint_eq(ear.repeated, account_log("back"));
	/* What of it was in a card that stopped was not heard. */
	ck_assert_int_ge(account_counter("Frames Silence"), ear.silent);
	if (!account_log("unheard"))
		ck_assert_int_eq(account_counter("Frames Silence"), ear.silent);
}

static bool is_one_of(const char *word, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

/* Frames of the world that passed while the card stood. */
static int64_t stood(void)
{
	static const char *const ends[] = { "stop", "xrun", "pause", "suspend" };
	static const char *const begins[] = { "start", "release", "resume" };
	size_t size;
	char *text = (char *)rig_slurp(account.rig.log, &size);
	unsigned long long frame, ended = 0;
	bool stands = false;
	int64_t sum = 0;

	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		char word[16];

		if (sscanf(line, "%15s %*s at frame %llu", word, &frame) != 2)
			continue;
		if (is_one_of(word, begins, N_OF(begins))) {
			sum += stands ? (int64_t)(frame - ended) : 0;
			stands = false;
		} else if (is_one_of(word, ends, N_OF(ends))) {
			ended = stands ? ended : frame;
			stands = true;
		}
	}
	free(text);
	return sum;
}

/* Up to where it went on after the last loss. What is lost meanwhile is read up to, too. */
static void read_past_losses(void)
{
	int64_t dropped;

	do {
		unsigned long long frame = 0;

		dropped = account_counter("Frames Dropped");
		(void)rig_log(&account.rig, "start", &frame, NULL);
		if (account_go_on((uint32_t)frame + 1) < 0)
			return;
	} while (account_counter("Frames Dropped") != dropped);
}

static void close_capture(void)
{
	const int64_t dropped = account_counter("Frames Dropped");
	const int64_t gone = stood();
	const int64_t recorded = (int64_t)account.missing - gone -
				 (int64_t)account_log("back");

	ck_assert_uint_eq(account.silent, account_log("jump"));
	/* What the card recorded is counted, all of it. What passed while it stood is no
	 * frame to anybody, but a part of a loss that is known by the clock alone. */
	ck_assert_msg(recorded <= dropped && dropped <= recorded + gone +
		      account_counter("Device Xruns"),
		      "missing %u, the card stood for %lld and lost %llu itself, dropped %lld",
		      account.missing, (long long)gone,
		      (unsigned long long)account_log("back"), (long long)dropped);
}

void account_close(void)
{
	/* What was captured and not read by then is neither. */
	if (!account.playback) {
		read_past_losses();
		close_capture();
	}
	ck_assert_int_eq(snd_pcm_close(account.rig.pcm), 0);
	account.rig.pcm = NULL;
	if (account.playback)
		close_playback();
}

void account_let_fail(enum clocked_call call, int error, uint32_t skip, uint32_t times)
{
	const struct clocked_fail fail = { (uint32_t)error, skip, times };

	ck_assert(clocked_command_fail(account.rig.command_fd, call, fail));
}

void account_begin_calm(void)
{
	account.calm_looks = clocked_command_looks(account.rig.command_fd);
	account.calm_ns = hr_now_ns();
}

void account_assert_calm(void)
{
	uint32_t looks = clocked_command_looks(account.rig.command_fd) - account.calm_looks;
	uint64_t ms = (hr_now_ns() - account.calm_ns) / HR_NS_PER_MS;

	ck_assert_msg(looks <= LOOKS_MIN + ms * LOOKS_PER_PERIOD * RATE / 1000 / PERIOD,
		      "%u looks in %llu ms", looks, (unsigned long long)ms);
}
