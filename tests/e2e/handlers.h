/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_E2E_HANDLERS_H
#define SPATE_TESTS_E2E_HANDLERS_H

/*
 * Handlers that several tests want, and the site that has them all:
 *
 *     GET /hello       hello
 *     *   /echo        the body, in pieces as it comes
 *     *   /collect     the body, in one piece
 *     *   /ignore      ignored; does not read the body
 *     GET /size/:n     n bytes of 'x', by spate_respond()
 *     GET /chunks/:n   n chunks, the i-th of i + 1 bytes
 */

#include "tests/e2e/client.h"
#include "tests/e2e/site.h"

/* site_make() and the routes above. */
void handlers_make(struct site *site);

/* handlers_start: all of it, with the default options. */
bool handlers_start(struct site *site);

#endif /* SPATE_TESTS_E2E_HANDLERS_H */
