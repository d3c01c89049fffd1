/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 The headroom authors */
/* crossbeam's queues; the operations are in crossbeam.rs. */
#include "subject.h"

extern const struct ring_ops array_queue_ring_ops, seg_queue_ring_ops;
extern const struct pool_ops array_queue_pool_ops, seg_queue_pool_ops;
extern const struct period_ops array_queue_period_ops;

const struct subject subject_array_queue = {
	"ArrayQueue", &array_queue_ring_ops, &array_queue_period_ops, &array_queue_pool_ops
};
const struct subject subject_seg_queue = {
	"SegQueue", &seg_queue_ring_ops, NULL, &seg_queue_pool_ops
};
