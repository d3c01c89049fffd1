/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>

#include "tests/clocked/clock.h"
#include "tests/clocked/config.h"

static const snd_pcm_format_t all_formats[CLOCKED_N_FORMATS] = {
	SND_PCM_FORMAT_S16_LE,
	SND_PCM_FORMAT_S16_BE,
	SND_PCM_FORMAT_S24_LE,
	SND_PCM_FORMAT_S24_3LE,
	SND_PCM_FORMAT_S32_LE,
	SND_PCM_FORMAT_FLOAT_LE,
	SND_PCM_FORMAT_FLOAT64_LE,
	SND_PCM_FORMAT_S8,
	SND_PCM_FORMAT_U8,
};

static const unsigned int all_accesses[CLOCKED_N_ACCESSES] = {
	SND_PCM_ACCESS_MMAP_INTERLEAVED,
	SND_PCM_ACCESS_MMAP_NONINTERLEAVED,
	SND_PCM_ACCESS_RW_INTERLEAVED,
	SND_PCM_ACCESS_RW_NONINTERLEAVED,
};

/* Upper limits keep the largest buffer below 2 GiB, alsa-lib counts bits. */
static const struct number_key {
	const char *key;
	size_t offset;
	long min, max;
} number_keys[] = {
	{ "rate_ppm", offsetof(struct clocked_config, rate_ppm),
	  -CLOCKED_PPM_MAX, CLOCKED_PPM_MAX },
	{ "rate_min", offsetof(struct clocked_config, rate_min),
	  1000, CLOCKED_RATE_MAX },
	{ "rate_max", offsetof(struct clocked_config, rate_max),
	  1000, CLOCKED_RATE_MAX },
	{ "channels_min", offsetof(struct clocked_config, channels_min),
	  1, CLOCKED_CHANNELS_MAX },
	{ "channels_max", offsetof(struct clocked_config, channels_max),
	  1, CLOCKED_CHANNELS_MAX },
	{ "period_min", offsetof(struct clocked_config, period_min), 1, 1 << 19 },
	{ "period_max", offsetof(struct clocked_config, period_max), 1, 1 << 19 },
	{ "buffer_max", offsetof(struct clocked_config, buffer_max), 1, 1 << 20 },
	{ "periods_min", offsetof(struct clocked_config, periods_min), 1, 65536 },
	{ "periods_max", offsetof(struct clocked_config, periods_max), 1, 65536 },
	{ "extra_delay", offsetof(struct clocked_config, extra_delay), 0, 1 << 19 },
	{ "heard_append", offsetof(struct clocked_config, heard_append), 0, 1 },
	{ "chmaps", offsetof(struct clocked_config, chmaps), 0, 1 },
};

static const struct string_key {
	const char *key;
	size_t offset;
} string_keys[] = {
	{ "heard", offsetof(struct clocked_config, heard) },
	{ "supply", offsetof(struct clocked_config, supply) },
	{ "log", offsetof(struct clocked_config, log) },
	{ "command", offsetof(struct clocked_config, command) },
};

static int read_number(struct clocked_config *config, const char *name,
		       const struct number_key *key, snd_config_t *node)
{
	long value;

	if (snd_config_get_integer(node, &value) < 0) {
		SNDERR("clocked %s: %s must be an integer", name, key->key);
		return -EINVAL;
	}
	if (value < key->min || value > key->max) {
		SNDERR("clocked %s: %s is %ld, allowed are %ld to %ld", name,
		       key->key, value, key->min, key->max);
		return -EINVAL;
	}
	*(long *)(void *)((char *)config + key->offset) = value;
	return 0;
}

static int read_string(struct clocked_config *config, const char *name,
		       const struct string_key *key, snd_config_t *node)
{
	char **target = (char **)(void *)((char *)config + key->offset);
	const char *value;

	if (snd_config_get_string(node, &value) < 0 || value[0] == '\0') {
		SNDERR("clocked %s: %s must be a path", name, key->key);
		return -EINVAL;
	}
	free(*target);
	*target = strdup(value);
	return *target ? 0 : -ENOMEM;
}

static int add_format(struct clocked_config *config, const char *name,
		      const char *text)
{
	snd_pcm_format_t format = snd_pcm_format_value(text);
	unsigned int i;

	for (i = 0; i < CLOCKED_N_FORMATS; i++)
		if (all_formats[i] == format)
			break;
	if (i == CLOCKED_N_FORMATS) {
		SNDERR("clocked %s: formats has %s, allowed are S8 U8 S16_LE S16_BE"
		       " S24_LE S24_3LE S32_LE FLOAT_LE FLOAT64_LE", name, text);
		return -EINVAL;
	}
	for (i = 0; i < config->n_formats; i++)
		if (config->formats[i] == (unsigned int)format)
			return 0;
	config->formats[config->n_formats++] = (unsigned int)format;
	return 0;
}

static int add_access(struct clocked_config *config, const char *name,
		      const char *text)
{
	for (unsigned int i = 0; i < CLOCKED_N_ACCESSES; i++) {
		if (strcmp(text, snd_pcm_access_name(
				   (snd_pcm_access_t)all_accesses[i])) != 0)
			continue;
		if (config->n_accesses == CLOCKED_N_ACCESSES)
			break;
		config->accesses[config->n_accesses++] = all_accesses[i];
		return 0;
	}
	SNDERR("clocked %s: access has %s, allowed are RW_INTERLEAVED"
	       " RW_NONINTERLEAVED MMAP_INTERLEAVED MMAP_NONINTERLEAVED, once each",
	       name, text);
	return -EINVAL;
}

static int add_rate(struct clocked_config *config, const char *name,
		    const char *text)
{
	char *end;
	long rate = strtol(text, &end, 10);

	if (*end != '\0' || rate < 1000 || rate > CLOCKED_RATE_MAX ||
	    config->n_rates == CLOCKED_N_RATES) {
		SNDERR("clocked %s: rates has %s, allowed are up to %d of 1000 to %d",
		       name, text, CLOCKED_N_RATES, CLOCKED_RATE_MAX);
		return -EINVAL;
	}
	config->rates[config->n_rates++] = (unsigned int)rate;
	return 0;
}

static const struct list_key {
	const char *key;
	size_t offset;			/* of the number of entries */
	int (*add)(struct clocked_config *config, const char *name,
		   const char *text);
} list_keys[] = {
	{ "formats", offsetof(struct clocked_config, n_formats), add_format },
	{ "access", offsetof(struct clocked_config, n_accesses), add_access },
	{ "rates", offsetof(struct clocked_config, n_rates), add_rate },
};

static int add_words(struct clocked_config *config, const char *name,
		     const struct list_key *key, const char *text)
{
	char *copy = strdup(text);
	char *rest = copy;
	char *word;
	int err = 0;

	if (!copy)
		return -ENOMEM;
	while (err >= 0 && (word = strsep(&rest, " ,\t")) != NULL)
		if (word[0] != '\0')
			err = key->add(config, name, word);
	free(copy);
	return err;
}

static int add_entries(struct clocked_config *config, const char *name,
		       const struct list_key *key, snd_config_t *node)
{
	snd_config_iterator_t i, next;
	int err = 0;

	snd_config_for_each(i, next, node) {
		char *text = NULL;

		if (snd_config_get_ascii(snd_config_iterator_entry(i), &text) < 0)
			text = NULL;
		err = key->add(config, name, text ? text : "something else");
		free(text);
		if (err < 0)
			break;
	}
	return err;
}

static int read_list(struct clocked_config *config, const char *name,
		     const struct list_key *key, snd_config_t *node)
{
	unsigned int *n = (unsigned int *)(void *)((char *)config + key->offset);
	const char *text;
	int err = 0;

	*n = 0;
	if (snd_config_get_string(node, &text) >= 0)
		err = add_words(config, name, key, text);
	else if (snd_config_get_type(node) == SND_CONFIG_TYPE_COMPOUND)
		err = add_entries(config, name, key, node);
	if (err < 0)
		return err;
	if (*n == 0) {
		SNDERR("clocked %s: %s must be a list", name, key->key);
		return -EINVAL;
	}
	return 0;
}

static int read_key(struct clocked_config *config, const char *name,
		    const char *id, snd_config_t *node)
{
	size_t i;

	for (i = 0; i < sizeof(number_keys) / sizeof(number_keys[0]); i++)
		if (strcmp(id, number_keys[i].key) == 0)
			return read_number(config, name, &number_keys[i], node);
	for (i = 0; i < sizeof(string_keys) / sizeof(string_keys[0]); i++)
		if (strcmp(id, string_keys[i].key) == 0)
			return read_string(config, name, &string_keys[i], node);
	for (i = 0; i < sizeof(list_keys) / sizeof(list_keys[0]); i++)
		if (strcmp(id, list_keys[i].key) == 0)
			return read_list(config, name, &list_keys[i], node);
	SNDERR("clocked %s: unknown key %s", name, id);
	return -EINVAL;
}

static int check_order(const char *name, const char *low, long low_value,
		       const char *high, long high_value)
{
	if (low_value <= high_value)
		return 0;
	SNDERR("clocked %s: %s is %ld, above %s with %ld", name, low, low_value,
	       high, high_value);
	return -EINVAL;
}

static int check_orders(const struct clocked_config *c, const char *name)
{
	int err = check_order(name, "rate_min", c->rate_min,
			      "rate_max", c->rate_max);

	if (err >= 0)
		err = check_order(name, "channels_min", c->channels_min,
				  "channels_max", c->channels_max);
	if (err >= 0)
		err = check_order(name, "period_min", c->period_min,
				  "period_max", c->period_max);
	if (err >= 0)
		err = check_order(name, "periods_min", c->periods_min,
				  "periods_max", c->periods_max);
	if (err >= 0)
		err = check_order(name, "period_min times periods_min",
				  c->period_min * c->periods_min,
				  "buffer_max", c->buffer_max);
	return err;
}

int clocked_config_init(struct clocked_config *config, const char *name,
			snd_config_t *block)
{
	snd_config_iterator_t i, next;
	int err;

	*config = (struct clocked_config){
		.rate_min = 4000, .rate_max = 384000,
		.channels_min = 1, .channels_max = 32,
		.period_min = 16, .period_max = 65536,
		.buffer_max = 524288,
		.periods_min = 2, .periods_max = 1024,
		.n_formats = CLOCKED_N_FORMATS,
		.n_accesses = CLOCKED_N_ACCESSES,
	};
	memcpy(config->accesses, all_accesses, sizeof(all_accesses));
	for (size_t n = 0; n < CLOCKED_N_FORMATS; n++)
		config->formats[n] = (unsigned int)all_formats[n];
	snd_config_for_each(i, next, block) {
		snd_config_t *node = snd_config_iterator_entry(i);
		const char *id;

		if (snd_config_get_id(node, &id) < 0 || strcmp(id, "type") == 0 ||
		    strcmp(id, "comment") == 0 || strcmp(id, "hint") == 0)
			continue;
		err = read_key(config, name, id, node);
		if (err < 0)
			goto err_finish;
	}
	err = check_orders(config, name);
	if (err < 0)
		goto err_finish;
	return 0;

err_finish:
	clocked_config_finish(config);
	return err;
}

void clocked_config_finish(struct clocked_config *config)
{
	free(config->heard);
	free(config->supply);
	free(config->log);
	free(config->command);
	*config = (struct clocked_config){ 0 };
}

static long clamp(long value, long low, long high)
{
	return value < low ? low : value > high ? high : value;
}

static int constrain_sizes(const struct clocked_config *c, snd_pcm_ioplug_t *io)
{
	long smallest = 8, largest = 1;
	long counted;			/* bytes of the frames that maxima count */
	int err;

	for (unsigned int i = 0; i < c->n_formats; i++) {
		snd_pcm_format_t format = (snd_pcm_format_t)c->formats[i];
		long bytes = snd_pcm_format_physical_width(format) / 8;

		smallest = bytes < smallest ? bytes : smallest;
		largest = bytes > largest ? bytes : largest;
	}
	smallest *= c->channels_min;
	largest *= c->channels_max;
	counted = clamp(8, smallest, largest);

	err = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIOD_BYTES,
		(unsigned int)(c->period_min * smallest),
		(unsigned int)(c->period_max * counted));
	if (err < 0)
		return err;
	return snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_BUFFER_BYTES,
		(unsigned int)(c->period_min * c->periods_min * smallest),
		(unsigned int)(c->buffer_max * counted));
}

int clocked_config_constrain(const struct clocked_config *c, snd_pcm_ioplug_t *io)
{
	int err;

	err = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_ACCESS,
					    c->n_accesses, c->accesses);
	if (err >= 0)
		err = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_FORMAT,
						    c->n_formats, c->formats);
	if (err >= 0)
		err = snd_pcm_ioplug_set_param_minmax(io,
			SND_PCM_IOPLUG_HW_CHANNELS,
			(unsigned int)c->channels_min,
			(unsigned int)c->channels_max);
	if (err >= 0 && c->n_rates > 0)
		err = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_RATE,
						    c->n_rates, c->rates);
	else if (err >= 0)
		err = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_RATE,
						      (unsigned int)c->rate_min,
						      (unsigned int)c->rate_max);
	if (err >= 0)
		err = snd_pcm_ioplug_set_param_minmax(io,
			SND_PCM_IOPLUG_HW_PERIODS,
			(unsigned int)c->periods_min,
			(unsigned int)c->periods_max);
	if (err >= 0)
		err = constrain_sizes(c, io);
	return err;
}
