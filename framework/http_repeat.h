/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_HTTP_REPEAT_H
#define SPATE_FRAMEWORK_HTTP_REPEAT_H

/*
 * The fields of a head, kept for heads that repeat them: a client says the
 * same about itself in each of its requests, and asks for another target.
 * What follows the target is then compared as a whole, and the offsets of its
 * fields move by the size of the target. docs/decisions/0013 has the figures.
 *
 *     GET /plaintext HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n
 *         read anew |  compared with text, byte for byte
 *                   `- at
 *
 *              a head of the short form          two others in a row
 *     unarmed --------------------------> armed --------------------> unarmed
 *        ^                                 |                            |
 *        `--- after "wait" heads ----------|----------------------------'
 *                                     the same: misses = 0
 *
 * Clients that take turns would each undo what the other has taught, so each
 * time that nothing repeats the next attempt waits for twice as many heads.
 *
 * Fields that are secrets are not kept: what one client has sent is not
 * compared with what another sends. Nor is any with a say in the body or the
 * connection but "keep-alive". The comparison takes its time by the size.
 *
 * One for each worker, which alone uses it. All zero at first.
 */

#include "framework/http_head.h"

#define SP_HTTP_REPEAT_MAX 1024 /* bytes */
#define SP_HTTP_REPEAT_MIN 32  /* a block of the widest scan */
#define SP_HTTP_REPEAT_FIELDS 32

struct sp_http_repeat {
	char text[SP_HTTP_REPEAT_MAX];
	/* Offsets are from text, as in the head from buf. */
	struct sp_http_field fields[SP_HTTP_REPEAT_FIELDS];
	uint32_t size;
	uint16_t nfields;
	uint16_t host, host_size, authority_size;
	bool armed;
	uint8_t misses;
	uint8_t wait; /* heads, before the next attempt */
};

/*
 * sp_http_repeat_missed: a head was not one that repeats.
 *
 * => verdict is what sp_http_head_parse() says of it.
 */
void sp_http_repeat_missed(struct sp_http_repeat *repeat,
    const struct sp_http_head *head, const char *buf, int verdict);

#endif /* SPATE_FRAMEWORK_HTTP_REPEAT_H */
