/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_HTTP_STATUS_H
#define SPATE_FRAMEWORK_HTTP_STATUS_H

/*
 * Status codes in words, as the registry of RFC 9110, 16.2 has them.
 *
 *     status   sp_http_reason()   sp_http_status_line()
 *     ------   ----------------   --------------------------
 *     404      "Not Found"        "HTTP/1.1 404 Not Found\r\n"
 *     299      ""                 NULL; compose it
 */

#include <stddef.h>

/*
 * sp_http_reason: the reason phrase. Constant.
 *
 * => Returns "" for a status that is not registered.
 */
const char *sp_http_reason(int status);

/*
 * sp_http_status_line: the whole first line of a response. Constant.
 *
 * => Returns it, and its size in *size; it ends in CR LF.
 * => Returns NULL for a status that is not registered; *size is 0.
 */
const char *sp_http_status_line(int status, size_t *size);

#endif /* SPATE_FRAMEWORK_HTTP_STATUS_H */
