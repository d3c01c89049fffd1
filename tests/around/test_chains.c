/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * headroom in the middle of other plug-ins: below one, and above one. What is heard or
 * recorded is what it is through the same chain without headroom.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/pcm_rig.h"

#define N 24000		/* frames that a program plays or records */

enum place { BARE, BELOW, ABOVE };	/* where headroom is, seen from the chain */

static struct rig rig;
static uint8_t *data;

/* "@" is what the chain leads to. */
static const struct {
	const char *name;
	const char *chain;
	unsigned int rate;		/* of the program */
	bool same;			/* nothing is converted, or only laid out anew */
} chains[] = {
	{ "plug", "type plug slave.pcm \"@\"", 48000, true },
	{ "plug to S32", "type plug slave { pcm \"@\" format S32_LE }", 48000, false },
	{ "plug to 48 kHz",
	  "type plug slave { pcm \"@\" rate 48000 } rate_converter linear", 16000, false },
	{ "linear", "type linear slave { pcm \"@\" format S32_LE }", 48000, false },
	{ "rate", "type rate slave { pcm \"@\" rate 48000 } converter linear", 24000,
	  false },
	{ "route", "type route slave { pcm \"@\" channels 2 } "
		   "ttable.0.1 1 ttable.1.0 1", 48000, false },
	{ "asym", "type asym playback.pcm \"@\" capture.pcm \"@\"", 48000, true },
	{ "multi", "type multi slaves.a { pcm \"@\" channels 2 } "
		   "bindings.0 { slave a channel 1 } bindings.1 { slave a channel 0 }",
	  48000, false },
	{ "copy", "type copy slave.pcm \"@\"", 48000, true },
};

static void set_up(void)
{
	data = NULL;
}

static void tear_down(void)
{
	free(data);
}

/* The definition of a chain that leads to slave. */
static void define(int i, const char *slave, char *text, size_t size)
{
	FILE *out = fmemopen(text, size, "w");

	ck_assert_ptr_nonnull(out);
	for (const char *c = chains[i].chain; *c; c++) {
		if (*c == '@')
			fputs(slave, out);
		else
			fputc(*c, out);
	}
	ck_assert_int_eq(fclose(out), 0);
}

/* Open and install the chain number i. */
static void open_chain(int i, enum place place, snd_pcm_stream_t stream)
{
	struct rig_params params = {
		.access = SND_PCM_ACCESS_RW_INTERLEAVED, .format = SND_PCM_FORMAT_S16_LE,
		.channels = 2, .rate = chains[i].rate, .period = 1200, .buffer = 9600,
	};
	char chain[512], text[1024];

	define(i, place == BELOW ? "x" : "card", chain, sizeof(chain));
	/* A rate converter begins anew with each period: above it, headroom must ask for
	 * those of the program. */
	snprintf(text, sizeof(text), "pcm.chain { %s }\npcm.x { type headroom slave.pcm %s }\n",
		 chain, place == BELOW ? "card" : "chain slave.period 1200");
	ck_assert_int_eq(rig_try_open_defined(&rig, place == ABOVE ? "x" : "chain", text,
					      stream, 0, ""), 0);
	rig_install(&rig, &params);
}

/* alsa-lib's rate converter takes nothing if its slave moves between two of its looks:
 * then it is asked again. */
static void write_all(void)
{
	for (size_t at = 0; at < N; ) {
		size_t n = N - at < 999 ? N - at : 999;
		snd_pcm_sframes_t done = snd_pcm_writei(rig.pcm, data + at * rig.frame_bytes, n);

		ck_assert_int_ge(done, 0);
		at += (size_t)done;
	}
}

/* Play, and return what was heard; gap tells whether the card ran dry on the way. */
static uint8_t *play_once(int i, enum place place, size_t *bytes, bool *gap)
{
	uint8_t *heard;

	pcm_rig_init(&rig);
	open_chain(i, place, SND_PCM_STREAM_PLAYBACK);
	rig_thresholds(&rig, 9600, -1, 0);
	free(data);
	data = rig_noise(&rig, N, 71);
	write_all();
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	ck_assert_int_eq(snd_pcm_close(rig.pcm), 0);
	rig.pcm = NULL;
	if (place != BARE) {
		ck_assert_int_eq(rig_counter(&rig, "Headroom Playback Frames Dropped"), 0);
		ck_assert_int_gt(rig_counter(&rig, "Headroom Playback Frames"), 0);
	}
	heard = rig_slurp(rig.heard, bytes);
	*gap = rig_log(&rig, "gap", NULL, NULL) > 0;
	pcm_rig_finish(&rig);
	return heard;
}

/* On a machine that holds this program up for longer than the buffer lasts there is
 * nothing to compare; what is wrong by itself is wrong each time. */
static uint8_t *play(int i, enum place place, size_t *bytes)
{
	uint8_t *heard = NULL;
	bool gap = true;

	for (int tries = 0; gap && tries < 10; tries++) {
		free(heard);
		heard = play_once(i, place, bytes, &gap);
	}
	return heard;
}

static size_t first_sound(const uint8_t *sound, size_t bytes)
{
	size_t at = 0;

	while (at < bytes && !sound[at])
		at++;
	return at;
}

/* Bytes up to the last that is not 0: a device that never stops plays silence
 * until it is stopped, for as long as that takes. */
static size_t without_silence(const uint8_t *sound, size_t bytes)
{
	while (bytes > 0 && !sound[bytes - 1])
		bytes--;
	return bytes;
}

static size_t frames_with_sound(const uint8_t *sound, size_t bytes)
{
	size_t n = 0;

	for (size_t at = 0; at + 4 <= bytes; at += 4)
		n += memcmp(sound + at, "\0\0\0\0", 4) != 0;
	return n;
}

START_TEST(what_is_heard_through_a_chain_is_the_same)
{
	size_t n, m;
	uint8_t *bare = play(_i, BARE, &n), *through;

	n = without_silence(bare, n);
	ck_assert_uint_gt(n, N);	/* bytes: it is sound */
	ck_assert_uint_lt(first_sound(bare, n), n);
	if (chains[_i].same)
		ck_assert_int_eq(memcmp(bare, data, n), 0);
	for (enum place place = BELOW; place <= ABOVE; place++) {
		size_t at = 0;

		through = play(_i, place, &m);
		m = without_silence(through, m);
		while (at < n && at < m && bare[at] == through[at])
			at++;
		ck_assert_msg(at == n && n == m,
			      "%s, headroom %s: the same up to byte %zu of %zu, got %zu",
			      chains[_i].name, place == BELOW ? "below" : "above", at, n, m);
		free(through);
	}
	free(bare);
}
END_TEST

/* The drain is asked for when the buffer is full, and the steps of headroom do not
 * divide it: there is no room for what the converter has held back. */
START_TEST(the_end_is_heard_through_a_rate_converter)
{
	static const snd_pcm_uframes_t sizes[][2] = { { 1024, 10240 }, { 4096, 16384 } };
	const struct rig_params params = {
		.access = SND_PCM_ACCESS_RW_INTERLEAVED, .format = SND_PCM_FORMAT_S16_LE,
		.channels = 2, .rate = 44100, .period = sizes[_i][0],
		.buffer = sizes[_i][1],
	};
	snd_pcm_uframes_t n = N / params.period * params.period;
	size_t bytes, frames, wanted = n * 48000 / 44100;
	uint8_t *heard;

	pcm_rig_init(&rig);
	ck_assert_int_eq(rig_try_open_defined(&rig, "x",
		"pcm.x { type headroom slave.pcm { type plug slave { pcm card rate 48000 } "
		"rate_converter linear } }\n", SND_PCM_STREAM_PLAYBACK, 0, ""), 0);
	rig_install(&rig, &params);
	rig_thresholds(&rig, (long)params.buffer, -1, 0);
	data = rig_noise(&rig, n, 74);
	rig_write(&rig, data, n, params.period);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	heard = rig_slurp(rig.heard, &bytes);
	/* A busy machine may leave gaps. */
	frames = frames_with_sound(heard, bytes);
	/* Each period is converted into whole frames. */
	ck_assert_msg(frames + 50 > wanted && frames < wanted + wanted / 200,
		      "%zu frames for %zu", frames, wanted);
	free(heard);
	pcm_rig_finish(&rig);
}
END_TEST

static uint8_t *record(int i, enum place place)
{
	uint8_t *got;
	FILE *file;

	pcm_rig_init(&rig);
	rig.frame_bytes = 8;
	free(data);
	data = rig_noise(&rig, 4 * N, 72);
	file = fopen(rig.supply, "wb");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(data, 8, 4 * N, file), 4 * N);
	fclose(file);
	open_chain(i, place, SND_PCM_STREAM_CAPTURE);
	rig_thresholds(&rig, 0, -1, 0);
	got = malloc(N * rig.frame_bytes);
	ck_assert_ptr_nonnull(got);
	rig_read(&rig, got, N);
	ck_assert_int_eq(snd_pcm_drop(rig.pcm), 0);
	if (place != BARE)
		ck_assert_int_eq(rig_counter(&rig, "Headroom Capture Frames Dropped"), 0);
	pcm_rig_finish(&rig);
	return got;
}

START_TEST(what_is_recorded_through_a_chain_is_the_same)
{
	uint8_t *bare = record(_i, BARE), *through;

	if (chains[_i].same)
		ck_assert_int_eq(memcmp(bare, data, N * 4), 0);
	for (enum place place = BELOW; place <= ABOVE; place++) {
		size_t at = 0;

		through = record(_i, place);
		while (at < N * 4 && bare[at] == through[at])
			at++;
		ck_assert_msg(at == N * 4, "%s, headroom %s: the same up to byte %zu",
			      chains[_i].name, place == BELOW ? "below" : "above", at);
		free(through);
	}
	free(bare);
}
END_TEST

/* Two cards, bare (0) or through two headrooms (1), as one device of four channels. */
START_TEST(multi_plays_on_two_cards)
{
	static const struct rig_params four = {
		.access = SND_PCM_ACCESS_RW_INTERLEAVED, .format = SND_PCM_FORMAT_S16_LE,
		.channels = 4, .rate = 48000, .period = 1200, .buffer = 9600,
	};
	char text[2048], other[128];
	uint8_t *heard[2];
	size_t bytes[2];

	pcm_rig_init(&rig);
	snprintf(other, sizeof(other), "%s/other", rig.dir);
	snprintf(text, sizeof(text),
		 "pcm.other { type clocked heard \"%s\" }\n"
		 "pcm.x { type headroom slave.pcm card }\n"
		 "pcm.y { type headroom slave.pcm other name x }\n"
		 "pcm.both { type multi slaves.a { pcm %s channels 2 } "
		 "slaves.b { pcm %s channels 2 } "
		 "bindings.0 { slave a channel 0 } bindings.1 { slave a channel 1 } "
		 "bindings.2 { slave b channel 0 } bindings.3 { slave b channel 1 } }\n",
		 other, _i ? "x" : "card", _i ? "y" : "other");
	ck_assert_int_eq(rig_try_open_defined(&rig, "both", text, SND_PCM_STREAM_PLAYBACK, 0,
					      ""), 0);
	rig_install(&rig, &four);
	rig_thresholds(&rig, 9600, 0, 0);
	data = rig_noise(&rig, N, 73);
	rig_write(&rig, data, N, 999);
	ck_assert_int_eq(snd_pcm_drain(rig.pcm), 0);
	heard[0] = rig_slurp(rig.heard, &bytes[0]);
	heard[1] = rig_slurp(other, &bytes[1]);
	for (int side = 0; side < 2; side++) {
		ck_assert_uint_eq(bytes[side], N * 4);
		for (size_t i = 0; i < N; i++)
			ck_assert_int_eq(memcmp(heard[side] + 4 * i,
						data + 8 * i + 4 * side, 4), 0);
		free(heard[side]);
	}
	unlink(other);
	pcm_rig_finish(&rig);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("chains");
	TCase *tcase = pcm_rig_case(suite, "chains", set_up, tear_down);

	tcase_add_loop_test(tcase, what_is_heard_through_a_chain_is_the_same, 0,
			    (int)N_OF(chains));
	tcase_add_loop_test(tcase, the_end_is_heard_through_a_rate_converter, 0, 2);
	tcase_add_loop_test(tcase, what_is_recorded_through_a_chain_is_the_same, 0,
			    (int)N_OF(chains));
	tcase = pcm_rig_case(suite, "two cards", set_up, tear_down);
	tcase_add_loop_test(tcase, multi_plays_on_two_cards, 0, 2);
	return pcm_rig_run(suite);
}
