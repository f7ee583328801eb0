/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_JSON_OUT_H
#define SPATE_FRAMEWORK_JSON_OUT_H

/*
 * JSON, written once from front to back, into a bounded text.
 *
 *     sp_json_init(&json, &text);
 *     sp_json_object(&json);
 *     sp_json_key(&json, "shards");
 *     sp_json_u64(&json, 2);
 *     sp_json_key(&json, "names");
 *     sp_json_array(&json);
 *     sp_json_string(&json, name, size);
 *     sp_json_end(&json);
 *     sp_json_end(&json);
 *
 * Commas and colons come by themselves. Calls in an order that is no JSON,
 * such as a value in an object without its key, are a bug of the caller's
 * and abort. If the text overflows it is cut off, and text.overflow says so.
 */

#include "framework/text.h"

#define SP_JSON_DEPTH 32 /* objects and arrays open at a time */

struct sp_json {
	struct sp_text *text; /* lent */
	uint32_t depth;
	uint32_t objects; /* a bit for each depth: an object, not an array */
	uint32_t filled;  /* likewise: it has a member */
	bool keyed;       /* a key waits for its value */
	bool done;        /* the one value of the outermost level is there */
};

void sp_json_init(struct sp_json *json, struct sp_text *text);

void sp_json_object(struct sp_json *json);
void sp_json_array(struct sp_json *json);
void sp_json_end(struct sp_json *json); /* of whichever was opened last */

/* The program's own names: nothing in a key is escaped. */
void sp_json_key(struct sp_json *json, const char *key);
void sp_json_string(struct sp_json *json, const char *bytes, size_t size);
void sp_json_u64(struct sp_json *json, uint64_t value);
/* Nanoseconds, as microseconds with three digits behind the point. */
void sp_json_micros(struct sp_json *json, uint64_t ns);
void sp_json_i64(struct sp_json *json, int64_t value);
void sp_json_bool(struct sp_json *json, bool value);
void sp_json_null(struct sp_json *json);

/* A key, and its value. */
void sp_json_put(struct sp_json *json, const char *key, uint64_t value);
void sp_json_put_bool(struct sp_json *json, const char *key, bool value);
void
sp_json_put_string(struct sp_json *json, const char *key, const char *value);

/* As many digits as it takes to read it back; null if it is not finite. */
void sp_json_double(struct sp_json *json, double value);

#endif /* SPATE_FRAMEWORK_JSON_OUT_H */
