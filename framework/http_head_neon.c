/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/http_head_builds.h"

#if defined(__aarch64__)

#include "framework/http_scan_neon.h"

#define SP_HTTP_WALK sp_http_head_parse_neon
#include "framework/http_head_walk.h"

#endif
