// A plugin in JavaScript. It reads one JSON-RPC message a line from stdin and writes one answer a line to stdout, in
// the words of MCP: tools/list and tools/call, and what an MCP client asks first.
//
// To make it yours: change TOOLS and callTool, and say the same tools in manifest.json.

import stdin from "wasi:cli/stdin@0.2.0";
import stdout from "wasi:cli/stdout@0.2.0";

const TOOLS = [
  {
    name: "hello",
    description: "Greets somebody",
    inputSchema: {
      type: "object",
      properties: { name: { type: "string" } },
      required: ["name"],
      additionalProperties: false,
    },
    outputSchema: {
      type: "object",
      properties: { greeting: { type: "string" } },
      required: ["greeting"],
      additionalProperties: false,
    },
  },
];

// Run a tool: return what it answers; what is thrown is told to the caller.
function callTool({ name }) {
  if (typeof name !== "string") throw new Error("name is missing");
  return { greeting: `Hello, ${name}!` };
}

// ---- MCP ----

class Fault extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

const text = (words) => [{ type: "text", text: words }];

const METHODS = {
  "tools/call"({ name, arguments: given }) {
    if (!TOOLS.some((tool) => tool.name === name)) throw new Fault(-32602, "no such tool");
    try {
      const output = callTool(given ?? {});
      return { resultType: "complete", content: text(JSON.stringify(output)), structuredContent: output };
    } catch (wrong) {
      return { resultType: "complete", isError: true, content: text(String(wrong.message)) };
    }
  },
  "tools/list": () => ({ resultType: "complete", ttlMs: 0, cacheScope: "public", tools: TOOLS }),
  "server/discover": () => ({
    resultType: "complete",
    ttlMs: 0,
    cacheScope: "public",
    supportedVersions: ["2026-07-28"],
    capabilities: { tools: {} },
  }),
  initialize: ({ protocolVersion }) => ({
    protocolVersion: protocolVersion === "2025-06-18" ? protocolVersion : "2025-11-25",
    capabilities: { tools: {} },
    serverInfo: { name: "hello", version: "1.0.0" },
  }),
  ping: () => ({}),
};

// Return the answer to a line, or null when it wants none.
function answer(line) {
  let id = null;
  try {
    const message = JSON.parse(line);
    if (message.id === undefined) return null; // a notification
    id = message.id;
    const method = Object.hasOwn(METHODS, message.method) && METHODS[message.method];
    if (!method) throw new Fault(-32601, "no such method");
    return { jsonrpc: "2.0", id, result: method(message.params ?? {}) };
  } catch (wrong) {
    return { jsonrpc: "2.0", id, error: { code: wrong.code ?? -32700, message: String(wrong.message) } };
  }
}

// ---- lines of bytes ----

const CHUNK = 4096; // what a write may take at once

const decode = (bytes) =>
  decodeURIComponent(bytes.map((byte) => "%" + byte.toString(16).padStart(2, "0")).join(""));

const encode = (words) =>
  Uint8Array.from(
    encodeURIComponent(words).match(/%..|[^%]/g),
    (one) => (one.length > 1 ? parseInt(one.slice(1), 16) : one.charCodeAt(0)),
  );

function write(output, words) {
  const bytes = encode(words);
  for (let at = 0; at < bytes.length; at += CHUNK) output.blockingWriteAndFlush(bytes.slice(at, at + CHUNK));
}

export const run = {
  run() {
    const input = stdin.getStdin();
    const output = stdout.getStdout();
    let held = [];
    for (;;) {
      let bytes;
      try {
        bytes = input.blockingRead(65536);
      } catch {
        return; // the end of stdin
      }
      for (const byte of bytes) {
        if (byte !== 10) {
          held.push(byte);
          continue;
        }
        const reply = answer(decode(held));
        held = [];
        if (reply) write(output, JSON.stringify(reply) + "\n");
      }
    }
  },
};
