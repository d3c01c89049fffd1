/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * Plays a file, records one, or both at once, by PortAudio.
 *
 * usage: portaudio_client callback|blocking DEVICE PLAY RECORD   ("": not that way)
 */
#include <string.h>

#include <portaudio.h>

#include "client.h"

#define STEP 512u	/* frames of a blocking call, and of a callback */
#define TAIL (RATE / 2)	/* of silence: PortAudio stops before its last frames are heard */
#define LATENCY 0.2	/* s; for a machine with other work */

struct session {
	struct frame *play, *record;	/* NULL: not that way */
	size_t n_play, played, n_record, recorded;
	unsigned long trouble;		/* callbacks told of an xrun */
};

static void check(PaError err, const char *what)
{
	if (err < 0)
		give_up(what, Pa_GetErrorText(err));
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static int on_sound(const void *input, void *output, unsigned long n,
		    const PaStreamCallbackTimeInfo *when, PaStreamCallbackFlags flags,
		    void *user)
{
	struct session *session = user;
	size_t part;

	(void)when;
	session->trouble += (flags & ~(PaStreamCallbackFlags)paPrimingOutput) != 0;
	if (session->record) {
		part = smaller(n, session->n_record - session->recorded);
		memcpy(session->record + session->recorded, input,
		       part * sizeof(struct frame));
		session->recorded += part;
	}
	if (session->play) {
		part = smaller(n, session->n_play - session->played);
		memcpy(output, session->play + session->played,
		       part * sizeof(struct frame));
		memset((struct frame *)output + part, 0,
		       (n - part) * sizeof(struct frame));
		session->played += part;
	}
	return session->played == session->n_play &&
	       session->recorded == session->n_record ? paComplete : paContinue;
}

/* What is played is written as it is recorded: without a period of silence ahead, the
 * card would run dry at each of its periods. */
static void prime(PaStream *stream)
{
	static const struct frame silence[STEP];
	signed long left = Pa_GetStreamWriteAvailable(stream);

	for (; left >= (signed long)STEP; left -= STEP)
		check(Pa_WriteStream(stream, silence, STEP), "write");
}

static void run_blocking(PaStream *stream, struct session *session)
{
	PaError err;

	if (session->play && session->record)
		prime(stream);

	while (session->played < session->n_play ||
	       session->recorded < session->n_record) {
		size_t n = smaller(STEP, session->n_record - session->recorded);

		if (n > 0) {
			err = Pa_ReadStream(stream, session->record + session->recorded, n);
			session->trouble += err == paInputOverflowed;
			check(err == paInputOverflowed ? 0 : err, "read");
			session->recorded += n;
		}
		n = smaller(STEP, session->n_play - session->played);
		if (n > 0) {
			err = Pa_WriteStream(stream, session->play + session->played, n);
			session->trouble += err == paOutputUnderflowed;
			check(err == paOutputUnderflowed ? 0 : err, "write");
			session->played += n;
		}
	}
}

static PaDeviceIndex find(const char *name)
{
	for (PaDeviceIndex i = 0; i < Pa_GetDeviceCount(); i++)
		if (strcmp(Pa_GetDeviceInfo(i)->name, name) == 0)
			return i;
	give_up(name, "PortAudio does not list it");
	return paNoDevice;
}

static PaStreamParameters towards(const char *name)
{
	PaStreamParameters way = {
		.device = find(name), .channelCount = CHANNELS, .sampleFormat = paInt16,
		.suggestedLatency = LATENCY,
	};

	return way;
}

static struct frame *with_tail(struct frame *frames, size_t *np)
{
	frames = realloc(frames, (*np + TAIL) * sizeof(*frames));
	if (!frames)
		give_up("play", "no memory");
	memset(frames + *np, 0, TAIL * sizeof(*frames));
	*np += TAIL;
	return frames;
}

int main(int argc, char **argv)
{
	struct session session = { 0 };
	PaStreamParameters in, out;
	PaStream *stream;
	int callback;

	if (argc != 5)
		give_up(argv[0], "callback|blocking DEVICE PLAY RECORD");
	callback = strcmp(argv[1], "callback") == 0;
	if (argv[3][0])
		session.play = with_tail(slurp_frames(argv[3], &session.n_play),
					 &session.n_play);
	if (argv[4][0]) {
		session.n_record = RECORD_FRAMES;
		session.record = calloc(session.n_record, sizeof(struct frame));
		if (!session.record)
			give_up(argv[0], "no memory");
	}
	check(Pa_Initialize(), "initialize");
	in = towards(argv[2]);
	out = towards(argv[2]);
	check(Pa_OpenStream(&stream, session.record ? &in : NULL,
			    session.play ? &out : NULL, RATE, STEP, paNoFlag,
			    callback ? on_sound : NULL, &session), "open");
	check(Pa_StartStream(stream), "start");
	if (!callback)
		run_blocking(stream, &session);
	while (callback && Pa_IsStreamActive(stream) == 1)
		Pa_Sleep(20);
	check(Pa_StopStream(stream), "stop");
	check(Pa_CloseStream(stream), "close");
	Pa_Terminate();
	if (session.record)
		spill_frames(argv[4], session.record, session.recorded);
	if (session.trouble > 0)
		fprintf(stderr, "%lu xruns\n", session.trouble);
	free(session.play);
	free(session.record);
	return 0;
}
