/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_NEGOTIATE_H
#define SPATE_FRAMEWORK_NEGOTIATE_H

/*
 * What a client accepts, RFC 9110, 12.5: lists of names with a weight, where
 * the most specific element that matches is the one that counts.
 *
 *     Accept: text/html, text/plain;q=0.5, application/json;q=2
 *
 *     text/html  1000     text/plain  500     image/png  0
 *     application/json  0, since a weight of 2 is malformed
 *
 * An element that is malformed is left out. Pure code.
 */

#include <stddef.h>

#define SP_QUALITY_MAX 1000

/* The best match so far. All zero: none. */
struct sp_quality {
	unsigned rank;    /* how specific; 0: nothing has matched */
	unsigned quality; /* 0 to SP_QUALITY_MAX */
};

/*
 * sp_accept_media: look for a media type in the value of an Accept field.
 *
 * => type is "text/plain", without parameters. An element with parameters
 *    other than q stands for something narrower, and does not match.
 * => Several fields are looked at one after the other, with one *best.
 */
void sp_accept_media(
    const char *value, size_t size, const char *type, struct sp_quality *best);

/* sp_accept_coding: a content coding in an Accept-Encoding, or "*". */
void sp_accept_coding(const char *value, size_t size, const char *coding,
    struct sp_quality *best);

#endif /* SPATE_FRAMEWORK_NEGOTIATE_H */
