/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_HTTP_HEAD_BUILDS_H
#define SPATE_FRAMEWORK_HTTP_HEAD_BUILDS_H

/*
 * The builds of the parser, each in framework/http_head_NAME.c. Which of
 * them exist depends on the target, which can run, on the CPU: only
 * framework/http_head.c should call them.
 */

#include "framework/http_head.h"

typedef int sp_http_head_parse_fn(struct sp_http_head *head, const char *buf,
    size_t size, const struct sp_http_limits *limits,
    struct sp_http_repeat *repeat);

sp_http_head_parse_fn sp_http_head_parse_portable;
#if defined(__x86_64__)
sp_http_head_parse_fn sp_http_head_parse_sse42;
sp_http_head_parse_fn sp_http_head_parse_avx2;
#elif defined(__aarch64__)
sp_http_head_parse_fn sp_http_head_parse_neon;
#endif

#endif /* SPATE_FRAMEWORK_HTTP_HEAD_BUILDS_H */
