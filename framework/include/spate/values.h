/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_VALUES_H
#define SPATE_VALUES_H

/*
 * Values that a client sends: in the path, the query, a form, cookies and
 * trailers. Part of <spate.h>.
 */

#include <spate.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ----------------------------------------------------------------- memory */

/*
 * Copies and texts that last as long as the request, each with a NUL at its
 * end.
 *
 * Returns NULL: as spate_alloc(). Context: handler.
 */
SPATE_API char *spate_strdup(struct spate_req *req, const char *string);
SPATE_API char *spate_strndup(
    struct spate_req *req, const char *data, size_t size);
SPATE_API char *spate_printf(struct spate_req *req, const char *format, ...)
    SPATE_PRINTF(2, 3);

/* ----------------------------------------------------------------- typed */

/*
 * A value by its name, as a number or a truth value:
 *
 *     u64, i64    decimal digits, for i64 after an optional "-"
 *     double      as a number in JSON
 *     bool        1 true on, 0 false off
 *
 * Errors: -ENOENT (not there), -EINVAL (malformed), -ERANGE. *value is then
 * as it was, so it can hold a default:
 *
 *     uint64_t page = 1;
 *     int error = spate_query_u64(req, "page", &page);
 *
 *     if (error != 0 && error != -ENOENT)
 *             return error;
 *
 * A handler that returns the error without an answer lets the client read
 * which value it was: "400 Bad Request: query parameter 'page' is not a
 * number". Context: handler.
 */
SPATE_API int spate_query_u64(
    struct spate_req *req, const char *name, uint64_t *value);
SPATE_API int spate_query_i64(
    struct spate_req *req, const char *name, int64_t *value);
SPATE_API int spate_query_double(
    struct spate_req *req, const char *name, double *value);
SPATE_API int spate_query_bool(
    struct spate_req *req, const char *name, bool *value);

SPATE_API int spate_param_u64(
    struct spate_req *req, const char *name, uint64_t *value);
SPATE_API int spate_param_i64(
    struct spate_req *req, const char *name, int64_t *value);

/*
 * Answer 400 with which value was wrong: what is "query parameter" or so,
 * error one of the three above. For checks of the handler's own. Context:
 * handler.
 */
SPATE_API int spate_bad_value(
    struct spate_req *req, const char *what, const char *name, int error);

/* ------------------------------------------------------------------ forms */

/*
 * A value of a form, application/x-www-form-urlencoded. The first of these
 * calls reads the whole body, and may wait for it; spate_body() is then
 * empty.
 *
 * Errors, besides those above: as spate_body(), and -EMEDIUMTYPE: the body
 * is something else, and the answer should be 415. Context: handler.
 */
SPATE_API int spate_form_str(
    struct spate_req *req, const char *name, struct spate_str *value);
SPATE_API int spate_form_u64(
    struct spate_req *req, const char *name, uint64_t *value);
SPATE_API int spate_form_i64(
    struct spate_req *req, const char *name, int64_t *value);
SPATE_API int spate_form_double(
    struct spate_req *req, const char *name, double *value);
SPATE_API int spate_form_bool(
    struct spate_req *req, const char *name, bool *value);

/* ---------------------------------------------------------------- cookies */

/*
 * A cookie by its name, without the quotes it may have. On loan until the
 * handler returns. Context: handler.
 */
SPATE_API struct spate_str spate_cookie(
    const struct spate_req *req, const char *name);

enum spate_same_site {
	SPATE_SAME_SITE_LAX,
	SPATE_SAME_SITE_STRICT,
	SPATE_SAME_SITE_NONE /* only together with secure */
};

struct spate_cookie_options {
	size_t size;        /* sizeof(struct spate_cookie_options) */
	const char *path;   /* NULL: "/" */
	const char *domain; /* NULL: this host alone */
	int64_t max_age;    /* seconds; 0: forget it; -1: until it is closed */
	bool secure;        /* for https alone */
	bool for_scripts;   /* else HttpOnly */
	enum spate_same_site same_site;
};

/* Until the browser is closed, HttpOnly, Lax. Context: any. */
SPATE_API struct spate_cookie_options spate_cookie_options_default(void);

/*
 * Have the answer set a cookie, before it is begun. NULL means the defaults.
 *
 * Errors: as spate_add_header(). -EINVAL: also a name that is no token, a
 * value, path or domain with a byte that would end it early (encode a value
 * that may hold any), SameSite=None without secure, a __Host- or __Secure-
 * name without what it promises. Context: handler.
 */
SPATE_API int spate_set_cookie(struct spate_req *req, const char *name,
    const char *value, const struct spate_cookie_options *options);

/* --------------------------------------------------------------- trailers */

/*
 * A field behind a chunked body, once spate_body() or spate_body_read() has
 * come to the end of it; absent before. On loan until the handler returns.
 * Context: handler.
 */
SPATE_API struct spate_str spate_trailer(
    const struct spate_req *req, const char *name);

#ifdef __cplusplus
}
#endif

#endif /* SPATE_VALUES_H */
