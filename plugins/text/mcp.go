package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
)

type object map[string]any

type failure struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

type message struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params struct {
		Name            string          `json:"name"`
		Arguments       json.RawMessage `json:"arguments"`
		ProtocolVersion string          `json:"protocolVersion"`
	} `json:"params"`
}

// A tool: what it says of itself, and what it does.
type tool struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	InputSchema object `json:"inputSchema"`
	run         func(arguments json.RawMessage) (object, error)
}

func answer(asked message) (result object, fault *failure) {
	switch asked.Method {
	case "tools/call":
		for _, one := range tools {
			if one.Name == asked.Params.Name {
				return call(one, asked.Params.Arguments), nil
			}
		}
		return nil, &failure{-32602, "no such tool"}
	case "tools/list":
		return object{"resultType": "complete", "ttlMs": 0, "cacheScope": "public", "tools": tools}, nil
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
			"serverInfo": object{"name": "text", "version": "1.0.0"},
		}, nil
	case "ping":
		return object{}, nil
	}
	return nil, &failure{-32601, "no such method"}
}

func call(one tool, arguments json.RawMessage) object {
	output, err := one.run(arguments)
	if err != nil {
		return object{"resultType": "complete", "isError": true, "content": text(err.Error())}
	}
	written, _ := json.Marshal(output)
	return object{"resultType": "complete", "content": text(string(written)), "structuredContent": output}
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
