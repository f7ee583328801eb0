/* SPDX-License-Identifier: BSD-2-Clause */

#include "shards/recorder.h"

#include <errno.h>
#include <stdlib.h>

int
sp_recorder_init(struct sp_recorder *recorder, uint32_t size)
{
	uint64_t slots = 2;
	void *memory;

	*recorder = (struct sp_recorder){ .slots = NULL };
	if (size == 0)
		return 0;
	while (slots < size)
		slots *= 2;
	/* Not cleared: what is before head has been written. */
	if (posix_memalign(
		&memory, SP_CACHELINE, slots * sizeof(*recorder->slots))
	    != 0)
		return -ENOMEM;
	recorder->slots = memory;
	recorder->mask = slots - 1;
	return 0;
}

void
sp_recorder_fini(struct sp_recorder *recorder)
{
	free(recorder->slots);
	recorder->slots = NULL;
}
