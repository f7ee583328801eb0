-- SPDX-License-Identifier: BSD-2-Clause

-- For wrk: so many requests and not one more, to each path in turn; both are
-- given behind "--". Who is done before wrk's time is up has no request under
-- way as it ends, so what it counts is what the server must have.

local left, next_path, paths = 0, 1, {}

function init(args)
   left = tonumber(args[1])
   for i = 2, #args do
      paths[i - 1] = args[i]
   end
end

-- Called once before each request.
function delay()
   if left == 0 then
      return 3600000
   end
   left = left - 1
   return 0
end

function request()
   local path = paths[next_path]
   next_path = next_path % #paths + 1
   return wrk.format("GET", path)
end
