/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_FILE_TYPE_H
#define SPATE_FRAMEWORK_FILE_TYPE_H

/*
 * sp_file_type: the media type for a file of this name, by what stands
 * behind its last dot, in any letter case. Constant.
 *
 * => Returns "application/octet-stream" if that says nothing to us.
 */
const char *sp_file_type(const char *name);

#endif /* SPATE_FRAMEWORK_FILE_TYPE_H */
