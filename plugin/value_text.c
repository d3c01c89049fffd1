/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#include "plugin/value_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* snd_config_get_ascii() ends the program for an integer of 12 characters, and cuts off
 * longer ones. */
char *hr_value_text(const snd_config_t *node)
{
	char number[32], *text = NULL;
	long value;

	if (snd_config_get_integer(node, &value) == 0) {
		snprintf(number, sizeof(number), "%ld", value);
		return strdup(number);
	}
	return snd_config_get_ascii(node, &text) < 0 ? NULL : text;
}
