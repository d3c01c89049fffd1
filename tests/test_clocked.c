/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/*
 * The virtual sound card of the tests, tested itself through alsa-lib: what it
 * claims about frames heard and lost is what all other tests rely on.
 */
#include <stdlib.h>

#include <check.h>

#include "tests/clocked/tests.h"
#include "tests/suite.h"

int main(void)
{
	Suite *suite = suite_create("clocked");

	suite_add_tcase(suite, clocked_clock_tests());
	suite_add_tcase(suite, clocked_config_tests());
	suite_add_tcase(suite, clocked_playback_tests());
	suite_add_tcase(suite, clocked_position_tests());
	suite_add_tcase(suite, clocked_capture_tests());
	suite_add_tcase(suite, clocked_command_tests());
	suite_add_tcase(suite, clocked_faults_tests());
	return suite_run(suite);
}
