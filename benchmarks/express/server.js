// What tutorials show for Vapi's webhooks: Express, JSON parsed by its middleware, a signature over the body, a
// handler map for tool calls, and an answer at once for everything else. It stores nothing.
const crypto = require("crypto");
const express = require("express");

const secret = process.env.VAPI_WEBHOOK_SECRET;
const app = express();
app.use(express.json({ limit: "5mb", verify: (request, _, raw) => { request.raw = raw; } }));

function genuine(request) {
  const timestamp = request.get("x-vapi-timestamp");
  const expected = crypto.createHmac("sha256", secret).update(`${timestamp}.`).update(request.raw).digest("hex");
  const given = request.get("x-vapi-signature") || "";
  return given.length === expected.length && crypto.timingSafeEqual(Buffer.from(given), Buffer.from(expected));
}

const handlers = {
  lookupOrder: async ({ orderNumber }) => ({ found: true, state: "sent", orderNumber }),
};

async function runTools(message) {
  const results = [];
  for (const call of message.toolCallList || message.toolCalls || []) {
    const name = call.function ? call.function.name : call.name;
    const given = call.function ? call.function.arguments : call.arguments;
    const parameters = typeof given === "string" ? JSON.parse(given) : given || {};
    if (typeof parameters.orderNumber !== "string") {
      results.push({ toolCallId: call.id, name, error: "bad arguments" });
      continue;
    }
    const value = await handlers[name](parameters);
    results.push({ toolCallId: call.id, name, result: JSON.stringify(value) });
  }
  return { results };
}

app.post("/vapi/events", async (request, response) => {
  if (!genuine(request)) return response.status(401).json({ error: "unauthorized" });
  const { message } = request.body;
  switch (message.type) {
    case "tool-calls":
      return response.json(await runTools(message));
    case "end-of-call-report":
    case "status-update":
    case "transcript":
    default:
      return response.json({});
  }
});

const server = app.listen(Number(process.env.PORT || 0), "127.0.0.1", () => console.log(server.address().port));
server.keepAliveTimeout = 75000;
