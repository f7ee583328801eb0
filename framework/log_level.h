/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_LOG_LEVEL_H
#define SPATE_FRAMEWORK_LOG_LEVEL_H

/*
 * /debug/log at the listener of spate_admin(): GET says from which level on
 * lines are logged, PUT with ?level= has it be another until the server ends.
 */

#include <spate.h>

int sp_log_level_handler(struct spate_req *req, void *arg);

#endif /* SPATE_FRAMEWORK_LOG_LEVEL_H */
