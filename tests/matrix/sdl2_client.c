/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* Plays a file or records one by SDL 2: sdl2_client play|record FILE */
#include <string.h>

#define SDL_MAIN_HANDLED
#include <SDL.h>

#include "client.h"

static SDL_AudioDeviceID open_device(int capture)
{
	SDL_AudioSpec wanted = {
		.freq = RATE, .format = AUDIO_S16LSB, .channels = CHANNELS, .samples = 1024,
	};
	SDL_AudioDeviceID device = SDL_OpenAudioDevice(NULL, capture, &wanted, NULL, 0);

	if (device == 0)
		give_up("open", SDL_GetError());
	return device;
}

static void play(const char *path)
{
	size_t n;
	struct frame *frames = slurp_frames(path, &n);
	SDL_AudioDeviceID device = open_device(0);

	if (SDL_QueueAudio(device, frames, (Uint32)(n * sizeof(*frames))) != 0)
		give_up("queue", SDL_GetError());
	SDL_PauseAudioDevice(device, 0);
	while (SDL_GetQueuedAudioSize(device) > 0)
		SDL_Delay(20);
	SDL_CloseAudioDevice(device);
	free(frames);
}

static void record(const char *path)
{
	struct frame *frames = calloc(RECORD_FRAMES, sizeof(*frames));
	SDL_AudioDeviceID device = open_device(1);
	size_t bytes = 0;

	if (!frames)
		give_up("record", "no memory");
	SDL_PauseAudioDevice(device, 0);
	while (bytes < RECORD_FRAMES * sizeof(*frames)) {
		bytes += SDL_DequeueAudio(device, (char *)frames + bytes,
			(Uint32)(RECORD_FRAMES * sizeof(*frames) - bytes));
		SDL_Delay(20);
	}
	SDL_CloseAudioDevice(device);
	spill_frames(path, frames, RECORD_FRAMES);
	free(frames);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		give_up(argv[0], "play|record FILE");
	if (SDL_Init(SDL_INIT_AUDIO) != 0)
		give_up("init", SDL_GetError());
	if (strcmp(argv[1], "record") == 0)
		record(argv[2]);
	else
		play(argv[2]);
	SDL_Quit();
	return 0;
}
