/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_STATS_H
#define SPATE_FRAMEWORK_STATS_H

/*
 * GET /stats and /stats/stream: all there is to tell of a server, as JSON.
 * docs/stats.md says what each key means.
 */

#include "framework/server.h"

struct sp_text;

int sp_stats_handler(struct spate_req *req, void *arg);
int sp_stats_stream_handler(struct spate_req *req, void *arg);

/*
 * sp_render: write a text of any size, by a function that writes it into
 * one that may be too small for it, and is then called again.
 *
 * => Returns 0: text->data is the caller's, to be freed. -ENOMEM.
 */
typedef void
sp_render_fn(struct sp_text *text, struct spate_server *server, void *arg);
int sp_render(struct sp_text *text, struct spate_server *server,
    sp_render_fn *render, void *arg);

/*
 * sp_render_pause: between two parts of such a text, let others have their
 * turn if it has been going on for long. In a handler, or it does nothing.
 */
void sp_render_pause(void);

/* sp_render_answer: answer with such a text, for nobody to keep. */
int sp_render_answer(
    struct spate_req *req, const char *type, sp_render_fn *render, void *arg);

#endif /* SPATE_FRAMEWORK_STATS_H */
