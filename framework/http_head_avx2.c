/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/http_head_builds.h"

#if defined(__x86_64__)

#include "framework/http_scan_avx2.h"

#define SP_HTTP_WALK sp_http_head_parse_avx2
#include "framework/http_head_walk.h"

#endif
