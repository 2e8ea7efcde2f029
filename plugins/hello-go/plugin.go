// A plugin in Go. It reads one JSON-RPC message a line from stdin and writes one answer a line to stdout, in the words
// of MCP: tools/list and tools/call, and what an MCP client asks first.
//
// To make it yours: change tools and callTool, and say the same tools in manifest.json.
package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
)

const tools = `[{"name":"hello","description":"Greets somebody",
"inputSchema":{"type":"object","properties":{"name":{"type":"string"}},"required":["name"],"additionalProperties":false},
"outputSchema":{"type":"object","properties":{"greeting":{"type":"string"}},"required":["greeting"],"additionalProperties":false}}]`

type object map[string]any

type failure struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// callTool runs a tool: what it answers, or what went wrong in words.
func callTool(arguments json.RawMessage) (output object, wrong string) {
	var given struct{ Name *string }
	if json.Unmarshal(arguments, &given) != nil || given.Name == nil {
		return nil, "name is missing"
	}
	return object{"greeting": "Hello, " + *given.Name + "!"}, ""
}

// ---- MCP ----

type message struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params struct {
		Name            string          `json:"name"`
		Arguments       json.RawMessage `json:"arguments"`
		ProtocolVersion string          `json:"protocolVersion"`
	} `json:"params"`
}

func answer(asked message) (result object, fault *failure) {
	switch asked.Method {
	case "tools/call":
		if asked.Params.Name != "hello" {
			return nil, &failure{-32602, "no such tool"}
		}
		output, wrong := callTool(asked.Params.Arguments)
		if wrong != "" {
			return object{"resultType": "complete", "isError": true, "content": text(wrong)}, nil
		}
		written, _ := json.Marshal(output)
		return object{"resultType": "complete", "content": text(string(written)), "structuredContent": output}, nil
	case "tools/list":
		return object{"resultType": "complete", "ttlMs": 0, "cacheScope": "public", "tools": json.RawMessage(tools)}, nil
	case "server/discover":
		return object{
			"resultType": "complete", "ttlMs": 0, "cacheScope": "public",
			"supportedVersions": []string{"2026-07-28"}, "capabilities": object{"tools": object{}},
		}, nil
	case "initialize":
		version := "2025-11-25"
		if asked.Params.ProtocolVersion == "2025-06-18" {
			version = asked.Params.ProtocolVersion
		}
		return object{
			"protocolVersion": version, "capabilities": object{"tools": object{}},
			"serverInfo": object{"name": "hello", "version": "1.0.0"},
		}, nil
	case "ping":
		return object{}, nil
	}
	return nil, &failure{-32601, "no such method"}
}

func text(words string) []object {
	return []object{{"type": "text", "text": words}}
}

func main() {
	in, out := bufio.NewReader(os.Stdin), json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for {
		line, err := in.ReadBytes('\n')
		if err == io.EOF && len(line) == 0 {
			return
		}
		var asked message
		reply := object{"jsonrpc": "2.0", "id": nil}
		if json.Unmarshal(line, &asked) != nil {
			reply["error"] = failure{-32700, "this is no message"}
		} else if asked.ID == nil {
			continue // a notification wants no answer
		} else if result, fault := answer(asked); fault != nil {
			reply["id"], reply["error"] = asked.ID, fault
		} else {
			reply["id"], reply["result"] = asked.ID, result
		}
		if out.Encode(reply) != nil {
			return
		}
	}
}
