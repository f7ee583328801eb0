-- SPDX-License-Identifier: BSD-2-Clause

-- Sends the same request N times at once: wrk -s pipeline.lua URL -- N

init = function(args)
	local depth = tonumber(args[1]) or 16
	local requests = {}

	for i = 1, depth do
		requests[i] = wrk.format()
	end
	batch = table.concat(requests)
end

request = function()
	return batch
end
