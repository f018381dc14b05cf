-- Posts the file named by BODY with the token of TOKEN; reports "RESULT requests/s failures".
local file = assert(io.open(os.getenv("BODY"), "rb"))
wrk.method = "POST"
wrk.body = file:read("*a")
file:close()
wrk.headers["Content-Type"] = "application/json"
wrk.headers["X-Vault-Token"] = os.getenv("TOKEN")

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("RESULT %.1f %d\n", summary.requests / (summary.duration / 1e6),
    e.connect + e.read + e.write + e.status + e.timeout))
end
