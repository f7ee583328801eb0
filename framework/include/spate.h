/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_H
#define SPATE_H

#if defined(__GNUC__) && defined(SPATE_BUILDING)
#define SPATE_API __attribute__((visibility("default")))
#else
#define SPATE_API
#endif

#define SPATE_VERSION_MAJOR 0
#define SPATE_VERSION_MINOR 1
#define SPATE_VERSION_PATCH 0

#ifdef __cplusplus
extern "C" {
#endif

SPATE_API const char *spate_version(void);

#ifdef __cplusplus
}
#endif

#endif /* SPATE_H */
