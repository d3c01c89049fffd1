/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* Plays a file or records one by OpenAL: openal_client play|record FILE */
#include <string.h>
#include <time.h>

#include <AL/al.h>
#include <AL/alc.h>

#include "client.h"

static void doze(void)
{
	struct timespec rest = { .tv_nsec = 20000000 };

	nanosleep(&rest, NULL);
}

static void play(const char *path)
{
	size_t n;
	struct frame *frames = slurp_frames(path, &n);
	ALCdevice *device = alcOpenDevice(NULL);
	ALCcontext *context = device ? alcCreateContext(device, NULL) : NULL;
	ALuint buffer, source;
	ALint state = AL_PLAYING;

	if (!context || !alcMakeContextCurrent(context))
		give_up("open", "no device or context");
	alGenBuffers(1, &buffer);
	alGenSources(1, &source);
	alBufferData(buffer, AL_FORMAT_STEREO16, frames,
		     (ALsizei)(n * sizeof(*frames)), RATE);
	alSourcei(source, AL_BUFFER, (ALint)buffer);
	alSourcePlay(source);
	if (alGetError() != AL_NO_ERROR)
		give_up("play", "error of OpenAL");
	while (state == AL_PLAYING) {
		doze();
		alGetSourcei(source, AL_SOURCE_STATE, &state);
	}
	alDeleteSources(1, &source);
	alDeleteBuffers(1, &buffer);
	alcMakeContextCurrent(NULL);
	alcDestroyContext(context);
	alcCloseDevice(device);
	free(frames);
}

static void record(const char *path)
{
	struct frame *frames = calloc(RECORD_FRAMES, sizeof(*frames));
	ALCdevice *device = alcCaptureOpenDevice(NULL, RATE, AL_FORMAT_STEREO16, RATE / 2);
	size_t done = 0;

	if (!device || !frames)
		give_up("open", "no device or memory");
	alcCaptureStart(device);
	while (done < RECORD_FRAMES) {
		ALCint n = 0;

		alcGetIntegerv(device, ALC_CAPTURE_SAMPLES, 1, &n);
		if ((size_t)n > RECORD_FRAMES - done)
			n = (ALCint)(RECORD_FRAMES - done);
		alcCaptureSamples(device, frames + done, n);
		if (alcGetError(device) != ALC_NO_ERROR)
			give_up("record", "error of OpenAL");
		done += (size_t)n;
		doze();
	}
	alcCaptureStop(device);
	alcCaptureCloseDevice(device);
	spill_frames(path, frames, RECORD_FRAMES);
	free(frames);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		give_up(argv[0], "play|record FILE");
	if (strcmp(argv[1], "record") == 0)
		record(argv[2]);
	else
		play(argv[2]);
	return 0;
}
