/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_HTTP_HEAD_RULES_H
#define SPATE_FRAMEWORK_HTTP_HEAD_RULES_H

/*
 * What the parts of a head mean. The walk (framework/http_head_walk.h) finds
 * the parts and decides the frequent cases itself; all others come here.
 *
 * What has been met so far is one int, "seen": enum sp_http_flag in the low
 * half, the bits below in the high half. Rules for fields take it and
 * return it with bits added.
 *
 * => Rules return -status, with head->error set, to refuse.
 * => All text is in front of the end of what was received, but for "end".
 */

#include "framework/http_head.h"

#define SP_HTTP_PORT_MAX 65535

enum sp_http_seen {
	SP_HTTP_SEEN_HOST = 1 << 16,
	SP_HTTP_SEEN_CLOSE = 1 << 17,
	SP_HTTP_SEEN_KEEP = 1 << 18,
	SP_HTTP_SEEN_UPGRADE = 1 << 19, /* the field */
	SP_HTTP_WANT_UPGRADE = 1 << 20, /* the option of Connection */
	SP_HTTP_SEEN_CODING = 1 << 21,
	SP_HTTP_LAST_CHUNKED = 1 << 22, /* the last coding so far */
	SP_HTTP_ONCE_CHUNKED = 1 << 23,
	SP_HTTP_TWICE_CHUNKED = 1 << 24,
	SP_HTTP_OTHER_CODING = 1 << 25,
	SP_HTTP_SEEN_1_0 = 1 << 26,
};

/* Bits that, next to SEEN_HOST, need no more thought at the end of a head. */
#define SP_HTTP_SEEN_PLAIN                                                     \
	(SP_HTTP_HAS_LENGTH | SP_HTTP_HAS_QUERY | SP_HTTP_ESCAPED              \
	    | SP_HTTP_HAS_HOST | SP_HTTP_SEEN_KEEP)

/*
 * The names that have a rule, by size and by third letter of either case, as
 * bits: hoSt, exPect, upGrade, coNnection, coNtent-length, trAnsfer-encoding.
 */
#define SP_HTTP_RULE_SIZES                                                     \
	(1u << 4 | 1u << 6 | 1u << 7 | 1u << 10 | 1u << 14 | 1u << 17)
#define SP_HTTP_RULE_THIRD_LETTERS                                             \
	(1u << 'S' % 32 | 1u << 'P' % 32 | 1u << 'G' % 32 | 1u << 'N' % 32     \
	    | 1u << 'A' % 32)

/* => Returns -status. */
int sp_http_refuse(struct sp_http_head *head, int status, const char *error);

/*
 * Before the fields, where the bytes may end at any point.
 *
 * => Return 0: more bytes are needed.
 * => sp_http_rule_blank: returns how many bytes to skip.
 * => sp_http_rule_method: token_end is where the token at p stops. Returns
 *    how many bytes to skip, the space too, and sets head->method.
 * => sp_http_rule_version: returns 1 + the minor version.
 */
int
sp_http_rule_blank(struct sp_http_head *head, const char *p, const char *end);
int sp_http_rule_method(struct sp_http_head *head, const char *p,
    const char *token_end, const char *end);
int
sp_http_rule_version(struct sp_http_head *head, const char *p, const char *end);

/*
 * sp_http_rule_target: a target that does not start with '/'. The path in
 * *head is what is in front of the query, and is narrowed.
 */
int sp_http_rule_target(struct sp_http_head *head, const char *buf, int seen);

/* sp_http_rule_field: does nothing if the field has no rule. */
int sp_http_rule_field(struct sp_http_head *head, const char *buf,
    const struct sp_http_field *field, int seen);

/* sp_http_rule_stop: why a name stops at p, which is not its colon. */
int
sp_http_rule_stop(struct sp_http_head *head, const char *name, const char *p);

/*
 * sp_http_rule_end: the head is complete; what it amounts to.
 *
 * => Returns 0, and head->flags is set.
 */
int sp_http_rule_end(struct sp_http_head *head, int seen);

#endif /* SPATE_FRAMEWORK_HTTP_HEAD_RULES_H */
