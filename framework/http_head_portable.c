/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/http_head_builds.h"

#include "framework/http_scan_portable.h"

#define SP_HTTP_WALK sp_http_head_parse_portable
#include "framework/http_head_walk.h"
