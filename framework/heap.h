/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_HEAP_H
#define SPATE_FRAMEWORK_HEAP_H

#include <spate.h>

/* GET /debug/heap, as docs/stats.md tells. Context: handler. */
int sp_heap_handler(struct spate_req *req, void *arg);

#endif /* SPATE_FRAMEWORK_HEAP_H */
