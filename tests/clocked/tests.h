/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* The parts of test_clocked. */
#ifndef TESTS_CLOCKED_TESTS_H
#define TESTS_CLOCKED_TESTS_H

#include <check.h>

TCase *clocked_clock_tests(void);
TCase *clocked_config_tests(void);
TCase *clocked_playback_tests(void);
TCase *clocked_position_tests(void);
TCase *clocked_capture_tests(void);
TCase *clocked_command_tests(void);
TCase *clocked_faults_tests(void);

#endif
