/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
#ifndef TESTS_BENCH_CORE_RTE_START_H
#define TESTS_BENCH_CORE_RTE_START_H

/** Start DPDK if it was not, with nothing that takes rights or devices. It pins the
 * calling thread to a processor of its own choice, and that is undone. */
void rte_start(void);

/** A name that no object of DPDK's has; valid until the next call. */
const char *rte_new_name(void);

#endif
