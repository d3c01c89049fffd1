/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * An input as what stands within the braces of pcm.x { type headroom … } in an asoundrc:
 * parsed by alsa-lib, judged by pcm_config.c, and if it is accepted opened on a device
 * that is not there (null), as a whole and as the program sees it. Without a slave it is a
 * ctl.x as well. What is refused is so with a line, and leaves nothing behind.
 *
 * An input must not write to files or run commands, as an asoundrc may: it is left alone
 * unless all devices in it are of a few types.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <alsa/asoundlib.h>
#include <sanitizer/lsan_interface.h>

#include "plugin/pcm_config.h"
#include "tests/fuzz/fuzz.h"

#define TEXT_MAX 2048

static const char around[] =
	"pcm.card { type null }\n"
	"pcm.loop { type headroom slave.pcm x }\n"
	"pcm_slave.s { pcm card period 64 }\n";

static char base[2048];			/* what else there is */
static unsigned int n_lines;

__attribute__((format(printf, 5, 6)))
static void take_line(const char *file, int line, const char *function, int err,
		      const char *format, ...)
{
	static char text[65536];
	va_list args;

	(void)file;
	(void)line;
	(void)function;
	(void)err;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	n_lines++;
}

static snd_config_t *load(const char *text, size_t size)
{
	snd_config_t *conf = NULL;
	snd_input_t *input;
	int err;

	DEMAND(snd_config_top(&conf) == 0);
	DEMAND(snd_input_buffer_open(&input, text, (ssize_t)size) == 0);
	/* alsa-lib's parser leaks words of what it refuses. */
	__lsan_disable();
	err = snd_config_load(conf, input);
	__lsan_enable();
	if (err < 0) {
		snd_config_delete(conf);
		conf = NULL;
	}
	snd_input_close(input);
	return conf;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *pcm_lib = getenv("HEADROOM_PCM_LIB"), *ctl_lib = getenv("HEADROOM_CTL_LIB");

	(void)argc;
	(void)argv;
	DEMAND(pcm_lib && ctl_lib);
	make_directory();
	snprintf(base, sizeof(base), "pcm_type.headroom.lib \"%s\"\n"
		 "ctl_type.headroom.lib \"%s\"\n%s", pcm_lib, ctl_lib, around);
	snd_lib_error_set_handler(take_line);
	return 0;
}

static bool is_harmless_type(const char *type)
{
	static const char *const types[] = { "null", "headroom", "plug", "copy", "empty" };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

/* A device within it may be anything that alsa-lib has: also what writes to files. */
static bool is_harmless(snd_config_t *node)
{
	snd_config_iterator_t i, next;
	const char *id, *text;

	if (snd_config_get_id(node, &id) == 0 && id &&
	    (id[0] == '@' || strcmp(id, "lib") == 0))
		return false;
	if (id && strcmp(id, "type") == 0)
		return snd_config_get_string(node, &text) == 0 && text &&
		       is_harmless_type(text);
	if (snd_config_get_type(node) != SND_CONFIG_TYPE_COMPOUND)
		return true;
	snd_config_for_each(i, next, node)
		if (!is_harmless(snd_config_iterator_entry(i)))
			return false;
	return true;
}

static void check_config(const struct hr_pcm_config *config)
{
	DEMAND(config->slave);
	DEMAND(config->name[0] && strlen(config->name) <= HR_PAGE_NAME_MAX);
	DEMAND(config->clear >= 1 && config->clear < config->trigger && config->trigger <= 100);
	DEMAND(config->depth_ms <= 60000 && config->rt_priority <= 99);
	DEMAND(config->latency_samples >= HR_HEALTH_WINDOW_MIN &&
	       config->latency_samples <= HR_HEALTH_WINDOW_MAX);
	DEMAND((config->ipc_perm & 0600) == 0600 && !(config->ipc_perm & ~0755u));
	DEMAND(config->slave_period <= 1 << 24 && config->slave_buffer <= 1 << 24);
}

/* By itself, without the type, which is_harmless() has asked for where it is needed. */
static bool is_accepted(snd_config_t *block)
{
	struct hr_pcm_config config;
	int err;

	n_lines = 0;
	err = hr_pcm_config_parse(&config, "x", block);
	DEMAND(err <= 0);
	if (err < 0) {
		DEMAND(err != -EINVAL || n_lines == 1);
		return false;
	}
	DEMAND(n_lines == 0);
	check_config(&config);
	hr_pcm_config_finish(&config);
	return true;
}

/* Add the block as section.x; the root takes it over. */
static void add_block(snd_config_t *root, snd_config_t *block, const char *section)
{
	snd_config_t *type, *old, *in;

	if (snd_config_search(block, "type", &old) == 0)
		snd_config_delete(old);
	DEMAND(snd_config_imake_string(&type, "type", "headroom") == 0);
	DEMAND(snd_config_add(block, type) == 0);
	DEMAND(snd_config_set_id(block, "x") == 0);
	if (snd_config_search(root, section, &in) < 0) {
		DEMAND(snd_config_make_compound(&in, section, 0) == 0);
		DEMAND(snd_config_add(root, in) == 0);
	}
	DEMAND(snd_config_add(in, block) == 0);
}

static void open_pcm(snd_config_t *root, snd_pcm_stream_t stream)
{
	snd_pcm_hw_params_t *hw;
	snd_pcm_t *pcm = NULL;
	int err;

	n_lines = 0;
	err = snd_pcm_open_lconf(&pcm, "x", stream, SND_PCM_NONBLOCK, root);
	DEMAND(err < 0 ? !pcm && n_lines > 0 : pcm != NULL);
	if (err < 0)
		return;
	snd_pcm_hw_params_alloca(&hw);
	DEMAND(snd_pcm_hw_params_any(pcm, hw) >= 0);
	DEMAND(snd_pcm_close(pcm) == 0);
}

static void open_ctl(snd_config_t *root)
{
	snd_ctl_t *ctl = NULL;
	int err;

	n_lines = 0;
	err = snd_ctl_open_lconf(&ctl, "x", SND_CTL_NONBLOCK, root);
	DEMAND(err < 0 ? n_lines > 0 : ctl != NULL);
	if (err == 0)
		DEMAND(snd_ctl_close(ctl) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	bool accepted, has_slave;
	snd_config_t *block, *root, *found;

	/* '<' reads another file. */
	if (size > TEXT_MAX || memchr(text, '<', size) || memchr(text, '\0', size))
		return -1;
	block = load(text, size);
	if (!block)
		return 0;
	if (!is_harmless(block)) {
		snd_config_delete(block);
		return -1;
	}
	accepted = is_accepted(block);
	has_slave = snd_config_search(block, "slave", &found) == 0;
	root = load(base, strlen(base));
	DEMAND(root);
	add_block(root, block, accepted || has_slave ? "pcm" : "ctl");
	if (accepted)
		open_pcm(root, size % 2 ? SND_PCM_STREAM_CAPTURE : SND_PCM_STREAM_PLAYBACK);
	else if (!has_slave)
		open_ctl(root);
	snd_config_delete(root);
	clear_directory();
	return 0;
}
