/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_PAGE_H
#define SPATE_FRAMEWORK_PAGE_H

/*
 * The live page: one answer with everything in it, made of the parts in
 * framework/page/ as the library is built. It asks for /stats/stream and the
 * other pages beside it, and for nothing else.
 */

#include <spate.h>

/* GET: the page, as gzip for clients that take it. Context: handler. */
int sp_page_handler(struct spate_req *req, void *arg);

#endif /* SPATE_FRAMEWORK_PAGE_H */
