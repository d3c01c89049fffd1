/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * What a program sees of a playback PCM, and what is heard of it meanwhile: when it
 * starts, where it is while it plays, a pause, a drain. servers.sh runs it on the plug-in
 * of a sound server and through headroom on the same, and compares.
 *
 * usage: server_facts PCM FORMAT RECORDING
 *
 * RECORDING is a file that grows: what the server's end gives, in the same format, of 2
 * channels at 48000 Hz. Each frame that is played carries its number, so that it is known
 * again there. Time is told by what is recorded, as far as possible: a busy machine is
 * late with all of it.
 *
 * Prints a line a fact: NAME|VALUE|BEST|TOLERANCE. BEST is what it should be ("-": what it
 * is on the server's own plug-in), TOLERANCE how many more than those of the plug-in it may
 * be off ("-": equal, or as on the plug-in). Exit status 1: the last line says why.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <alsa/asoundlib.h>

#define RATE 48000
#define PERIOD 2048
#define BUFFER (8 * PERIOD)
#define WHILE (RATE / 2)	/* frames to listen where nothing is to come */
#define PATIENCE_NS 20000000000
#define CARRIED 32767		/* values of a sample above 0 */
#define LOOKS 128

/* What was recorded, since the part began; `frames`: since ever. */
struct ear {
	int fd;
	long frames;		/* in all */
	long next;		/* the frame to be heard next */
	long first, heard;	/* the first frame, or -1; frames */
	long lost, again;	/* frames left out, after the first; that came again */
	long breaks;		/* times that there was silence in between */
	bool silent;
};

static const char *name;
static snd_pcm_t *pcm;
static bool can_pause;
static snd_pcm_format_t format;
static snd_pcm_uframes_t boundary;
static struct ear ear;
static long written, base;	/* frames in all; of which before this part */
static int refused;		/* writes in this part */

static void give_up(const char *what, int err)
{
	printf("%s: %s\n", what, snd_strerror(err));
	exit(EXIT_FAILURE);
}

static void must(const char *what, int err)
{
	if (err < 0)
		give_up(what, err);
}

__attribute__((format(printf, 4, 5)))
static void number(long value, const char *best, long tolerance, const char *fact, ...)
{
	va_list args;

	va_start(args, fact);
	vprintf(fact, args);
	va_end(args);
	printf("|%ld|%s|%ld\n", value, best, tolerance);
}

static void state(const char *when, snd_pcm_state_t best)
{
	printf("%s: state|%s|%s|-\n", when, snd_pcm_state_name(snd_pcm_state(pcm)),
	       snd_pcm_state_name(best));
}

static void result(const char *call, int err)
{
	printf("%s|%s|0|-\n", call, err < 0 ? snd_strerror(err) : "0");
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* ---- the ear ---- */

static size_t frame_bytes(void)
{
	return 2 * (size_t)snd_pcm_format_physical_width(format) / 8;
}

/* The number that a frame carries, or -1. */
static long number_of(const void *frame)
{
	int16_t s[2];
	float f[2];

	if (format == SND_PCM_FORMAT_FLOAT_LE) {
		memcpy(f, frame, sizeof(f));
		s[0] = (int16_t)(f[0] * 32768);
		s[1] = (int16_t)(f[1] * 32768);
	} else {
		memcpy(s, frame, sizeof(s));
	}
	return s[1] > 0 ? (s[1] - 1L) * CARRIED + s[0] - 1 : -1;
}

static void put_number(void *frame, long n)
{
	int16_t s[2] = { (int16_t)(n % CARRIED + 1), (int16_t)(n / CARRIED + 1) };
	float f[2] = { (float)s[0] / 32768, (float)s[1] / 32768 };

	if (format == SND_PCM_FORMAT_FLOAT_LE)
		memcpy(frame, f, sizeof(f));
	else
		memcpy(frame, s, sizeof(s));
}

static void hear(long n)
{
	if (n < 0) {
		ear.silent = true;
		return;
	}
	if (ear.first < 0)
		ear.first = n;
	else if (n > ear.next)
		ear.lost += n - ear.next;
	else if (n < ear.next)
		ear.again++;
	if (ear.heard && ear.silent)
		ear.breaks++;
	ear.silent = false;
	ear.heard++;
	if (n >= ear.next)
		ear.next = n + 1;
}

/* All that is recorded by now. */
static void listen_now(void)
{
	static char bytes[8 * 4096];
	static size_t have;
	ssize_t n;

	while ((n = read(ear.fd, bytes + have, sizeof(bytes) - have)) > 0) {
		size_t at = 0;

		have += (size_t)n;
		for (; have - at >= frame_bytes(); at += frame_bytes(), ear.frames++)
			hear(number_of(bytes + at));
		have -= at;
		memmove(bytes, bytes + at, have);
	}
}

/* Until so many more frames are recorded. */
static void listen_for(long frames)
{
	int64_t give_up_ns = now_ns() + PATIENCE_NS;
	long until;

	listen_now();
	for (until = ear.frames + frames; ear.frames < until; listen_now()) {
		if (now_ns() > give_up_ns)
			give_up("nothing more is recorded", -ETIMEDOUT);
		poll(NULL, 0, 5);	/* a look each 5 ms */
	}
}

/* ---- the stream ---- */

static void open_stream(void)
{
	snd_pcm_hw_params_t *hw;
	snd_pcm_sw_params_t *sw;

	snd_pcm_hw_params_alloca(&hw);
	snd_pcm_sw_params_alloca(&sw);
	must("open", snd_pcm_open(&pcm, name, SND_PCM_STREAM_PLAYBACK, 0));
	must("any configuration", snd_pcm_hw_params_any(pcm, hw));
	must("access", snd_pcm_hw_params_set_access(pcm, hw, SND_PCM_ACCESS_RW_INTERLEAVED));
	must("format", snd_pcm_hw_params_set_format(pcm, hw, format));
	must("channels", snd_pcm_hw_params_set_channels(pcm, hw, 2));
	must("rate", snd_pcm_hw_params_set_rate(pcm, hw, RATE, 0));
	must("period", snd_pcm_hw_params_set_period_size(pcm, hw, PERIOD, 0));
	must("buffer", snd_pcm_hw_params_set_buffer_size(pcm, hw, BUFFER));
	must("parameters", snd_pcm_hw_params(pcm, hw));
	must("boundary", snd_pcm_sw_params_current(pcm, sw));
	must("boundary", snd_pcm_sw_params_get_boundary(sw, &boundary));
	can_pause = snd_pcm_hw_params_can_pause(hw);
}

/* A part of the test begins, with a stream that has been prepared more than once, the last
 * time after its settings. Each part opens anew: what was drained does not always start
 * again on pipewire (its plug-in 0.3.65, with or without headroom). */
static void begin(snd_pcm_uframes_t start_threshold)
{
	snd_pcm_sw_params_t *sw;

	open_stream();
	snd_pcm_sw_params_alloca(&sw);
	must("settings", snd_pcm_sw_params_current(pcm, sw));
	must("threshold", snd_pcm_sw_params_set_start_threshold(pcm, sw, start_threshold));
	must("settings", snd_pcm_sw_params(pcm, sw));
	must("drop", snd_pcm_drop(pcm));
	must("prepare", snd_pcm_prepare(pcm));
	listen_now();
	base = written;
	refused = 0;
	ear = (struct ear){ .fd = ear.fd, .frames = ear.frames, .next = base, .first = -1 };
}

static void write_all(const char *sound, long frames)
{
	snd_pcm_sframes_t n;

	for (long done = 0; done < frames && refused < 10; done += n) {
		n = snd_pcm_writei(pcm, sound + (size_t)done * frame_bytes(),
				   (snd_pcm_uframes_t)(frames - done));
		if (n < 0) {
			refused++;
			must("write", snd_pcm_recover(pcm, (int)n, 1));
			n = 0;
		}
	}
}

static void play(long frames)
{
	static char sound[8 * BUFFER];

	for (long i = 0; i < frames; i++)
		put_number(sound + (size_t)i * frame_bytes(), written + i);
	write_all(sound, frames);
	written += frames;
}

/* The drain, and what was heard of all that was played in this part. Silence is the last:
 * jack repeats the last period of a client that goes. */
static void end(const char *part)
{
	static const char silence[8 * PERIOD];
	snd_pcm_sframes_t delay = 0;
	char text[80];
	int64_t began_ns;

	write_all(silence, PERIOD);
	snprintf(text, sizeof(text), "%s: drain", part);
	snd_pcm_delay(pcm, &delay);
	began_ns = now_ns();
	result(text, snd_pcm_drain(pcm));
	state(text, SND_PCM_STATE_SETUP);
	number((long)((now_ns() - began_ns) / 1000000 - delay * 1000 / RATE), "-", 1000,
	       "%s: ms longer than the delay was", text);
	number(refused, "0", 0, "%s: writes refused", part);
	must("close", snd_pcm_close(pcm));
	listen_for(WHILE);
	number(written - ear.next, "0", 0, "%s: frames not heard", text);
	number(ear.first < 0 ? -1 : ear.first - base, "0", 2 * PERIOD,
	       "%s: the first frame heard", part);
	number(ear.lost, "0", 0, "%s: frames lost", part);
	number(ear.again, "0", 0, "%s: frames heard again", part);
}

/* What is told of a stream that stands, with so many frames waiting. */
static void stands(const char *part, long frames)
{
	snd_pcm_sframes_t avail = 0, delay = 0;
	char text[80];

	snprintf(text, sizeof(text), "%s: avail and delay", part);
	result(text, snd_pcm_avail_delay(pcm, &avail, &delay));
	snprintf(text, sizeof(text), "%ld", BUFFER - frames);
	number(avail, text, 0, "%s: avail", part);
	snprintf(text, sizeof(text), "%ld", frames);
	number(delay, text, 0, "%s: delay", part);
}

static void start_threshold(void)
{
	begin(6 * PERIOD);
	play(5 * PERIOD);
	stands("below the start threshold", 5 * PERIOD);
	listen_for(WHILE);
	state("below the start threshold", SND_PCM_STATE_PREPARED);
	number(ear.heard, "0", 0, "below the start threshold: frames heard");
	stands("still below the start threshold", 5 * PERIOD);
	play(PERIOD);
	state("at the start threshold", SND_PCM_STATE_RUNNING);
	play(BUFFER);
	end("start threshold");
	number(ear.breaks, "0", 0, "start threshold: breaks");
}

static void explicit_start(void)
{
	begin(boundary);
	play(7 * PERIOD);
	stands("before the start", 7 * PERIOD);
	listen_for(WHILE);
	state("before the start", SND_PCM_STATE_PREPARED);
	number(ear.heard, "0", 0, "before the start: frames heard");
	result("start", snd_pcm_start(pcm));
	state("start", SND_PCM_STATE_RUNNING);
	play(BUFFER);
	end("start");
	number(ear.breaks, "0", 0, "start: breaks");
}

static void pause_and_go_on(void)
{
	snd_pcm_sframes_t before = 0, after = 0, avail_before, avail_after;
	long heard;

	begin(7 * PERIOD);
	play(7 * PERIOD + BUFFER);
	result("pause", snd_pcm_pause(pcm, 1));
	state("pause", SND_PCM_STATE_PAUSED);
	avail_before = snd_pcm_avail(pcm);
	snd_pcm_delay(pcm, &before);
	listen_for(WHILE);
	heard = ear.heard;
	number(heard > 0 && heard < written - base, "1", 0, "pause: some was heard, not all");
	listen_for(WHILE);
	state("paused", SND_PCM_STATE_PAUSED);
	number(ear.heard - heard, "0", 0, "paused: frames heard");
	avail_after = snd_pcm_avail(pcm);
	snd_pcm_delay(pcm, &after);
	number(avail_after - avail_before, "0", 0, "paused: avail moved");
	number(after - before, "0", 0, "paused: delay moved");
	result("unpause", snd_pcm_pause(pcm, 0));
	state("unpause", SND_PCM_STATE_RUNNING);
	play(BUFFER);
	state("played on", SND_PCM_STATE_RUNNING);
	end("pause");
	number(ear.breaks, "1", 0, "pause: breaks");
}

/* ---- where it is while it plays ---- */

static int smaller(const void *a, const void *b)
{
	const long *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static long median(long *values, int n)
{
	qsort(values, (size_t)n, sizeof(*values), smaller);
	return values[n / 2];
}

static void while_it_plays(void)
{
	static long sums[LOOKS], behind[LOOKS], off[LOOKS];
	long back = 0, avail_back = 0, outside = 0, last = 0, last_avail = 0, usual;
	snd_pcm_sframes_t avail, delay;
	int n = 0;
	int64_t began_ns;

	begin(7 * PERIOD);
	play(7 * PERIOD);
	began_ns = now_ns();
	/* The beginning is the server's: it connects, or it fills up. */
	play(BUFFER);
	while (n < LOOKS) {
		if (n % 2 == 0)
			play(PERIOD / 2);
		poll(NULL, 0, 4);	/* at another moment of the period */
		if (snd_pcm_avail_delay(pcm, &avail, &delay) < 0) {
			must("look", snd_pcm_recover(pcm, -EPIPE, 1));
			must("not in time", ++refused < 10 ? 0 : -EPIPE);
			continue;
		}
		behind[n] = (long)((now_ns() - began_ns) * RATE / 1000000000) -
			    (written - base - delay);
		sums[n++] = avail + delay - BUFFER;
		back += n > 1 && written - delay < last - RATE / 1000;
		avail_back += n > 1 && written + avail < last_avail;
		outside += avail < 0 || avail > BUFFER || delay < 0;
		last = written - delay;
		last_avail = written + avail;
	}
	number(outside, "0", 0, "playing: avail or delay out of bounds");
	number(avail_back, "0", 0, "playing: avail went back");
	number(back, "0", 0, "playing: delay went back by more than a millisecond");
	number(median(sums, n), "-", PERIOD, "playing: avail and delay beyond the buffer");
	memcpy(off, behind, sizeof(off));
	usual = median(off, n);
	for (int i = 0; i < n; i++)
		off[i] = labs(behind[i] - usual);
	number(median(off, n), "0", PERIOD / 2, "playing: unsteady by");
	end("playing");
	number(ear.breaks, "0", 0, "playing: breaks");
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: %s PCM FORMAT RECORDING\n", argv[0]);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	format = snd_pcm_format_value(argv[2]);
	ear.fd = open(argv[3], O_RDONLY | O_CLOEXEC);
	if (ear.fd < 0)
		give_up(argv[3], -errno);
	name = argv[1];
	start_threshold();
	explicit_start();
	while_it_plays();
	number(can_pause, "-", 0, "can pause");
	if (can_pause)
		pause_and_go_on();
	return EXIT_SUCCESS;
}
