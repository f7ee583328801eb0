/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_HTTP_METHOD_H
#define SPATE_FRAMEWORK_HTTP_METHOD_H

/*
 * Request methods: those of RFC 9110 and PATCH. A method is a small number,
 * a set of methods is a mask of them.
 *
 *     uint32_t methods = SP_HTTP_BIT(SP_HTTP_GET) | SP_HTTP_BIT(SP_HTTP_PUT);
 */

#include <stddef.h>
#include <stdint.h>

enum sp_http_method {
	SP_HTTP_GET,
	SP_HTTP_HEAD,
	SP_HTTP_POST,
	SP_HTTP_PUT,
	SP_HTTP_DELETE,
	SP_HTTP_OPTIONS,
	SP_HTTP_PATCH,
	SP_HTTP_TRACE,
	SP_HTTP_CONNECT,
	SP_HTTP_METHODS /* how many there are */
};

#define SP_HTTP_BIT(method) (UINT32_C(1) << (method))
#define SP_HTTP_ALL (SP_HTTP_BIT(SP_HTTP_METHODS) - 1)

/*
 * sp_http_method_name: "GET" and so on.
 *
 * => Constant. NULL for what is no method.
 */
const char *sp_http_method_name(enum sp_http_method method);

/*
 * sp_http_method_parse: the method that these bytes name. Case counts.
 *
 * => Returns an enum sp_http_method, or -EINVAL: none that we know.
 */
int sp_http_method_parse(const char *text, size_t size);

#endif /* SPATE_FRAMEWORK_HTTP_METHOD_H */
