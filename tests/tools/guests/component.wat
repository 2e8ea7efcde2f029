;; A component of WASI 0.2: for each piece of stdin it does BODY and writes what $said points to.
(component
  (import "wasi:io/error@0.2.0" (instance $errors (export "error" (type (sub resource)))))
  (alias export $errors "error" (type $error))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (alias outer 1 $error (type $outer-error))
    (export "error" (type $e (eq $outer-error)))
    (export "input-stream" (type $in (sub resource)))
    (export "output-stream" (type $out (sub resource)))
    (type $failed (variant (case "last-operation-failed" (own $e)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $failed)))
    (export "[method]input-stream.blocking-read"
      (func (param "self" (borrow $in)) (param "len" u64) (result (result (list u8) (error $stream-error)))))
    (export "[method]output-stream.blocking-write-and-flush"
      (func (param "self" (borrow $out)) (param "contents" (list u8)) (result (result (error $stream-error)))))))
  (alias export $streams "input-stream" (type $input))
  (alias export $streams "output-stream" (type $output))
  (import "wasi:cli/stdin@0.2.0" (instance $stdin
    (alias outer 1 $input (type $outer-input))
    (export "input-stream" (type $i (eq $outer-input)))
    (export "get-stdin" (func (result (own $i))))))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer 1 $output (type $outer-output))
    (export "output-stream" (type $o (eq $outer-output)))
    (export "get-stdout" (func (result (own $o))))))
  (import "wasi:sockets/network@0.2.0" (instance $network
    (type $codes (enum "unknown" "access-denied" "not-supported" "invalid-argument" "out-of-memory" "timeout"
      "concurrency-conflict" "not-in-progress" "would-block" "invalid-state" "new-socket-limit" "address-not-bindable"
      "address-in-use" "remote-unreachable" "connection-refused" "connection-reset" "connection-aborted"
      "datagram-too-large" "name-unresolvable" "temporary-resolver-failure" "permanent-resolver-failure"))
    (export "error-code" (type (eq $codes)))
    (type $families (enum "ipv4" "ipv6"))
    (export "ip-address-family" (type (eq $families)))))
  (alias export $network "error-code" (type $code))
  (alias export $network "ip-address-family" (type $family))
  (import "wasi:sockets/tcp@0.2.0" (instance $tcp (export "tcp-socket" (type (sub resource)))))
  (alias export $tcp "tcp-socket" (type $socket))
  (import "wasi:sockets/tcp-create-socket@0.2.0" (instance $create
    (alias outer 1 $code (type $outer-code))
    (export "error-code" (type $c (eq $outer-code)))
    (alias outer 1 $family (type $outer-family))
    (export "ip-address-family" (type $f (eq $outer-family)))
    (alias outer 1 $socket (type $outer-socket))
    (export "tcp-socket" (type $s (eq $outer-socket)))
    (export "create-tcp-socket" (func (param "address-family" $f) (result (result (own $s) (error $c)))))))
  ;; MORE

  (core module $Memory
    (memory (export "memory") 3)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536)))
  (core instance $memory (instantiate $Memory))
  (alias core export $memory "memory" (core memory $m))
  (alias core export $memory "realloc" (core func $realloc))
  (core func $get-stdin (canon lower (func $stdin "get-stdin")))
  (core func $get-stdout (canon lower (func $stdout "get-stdout")))
  (core func $read
    (canon lower (func $streams "[method]input-stream.blocking-read") (memory $m) (realloc $realloc)))
  (core func $write
    (canon lower (func $streams "[method]output-stream.blocking-write-and-flush") (memory $m) (realloc $realloc)))
  (core func $create-socket (canon lower (func $create "create-tcp-socket") (memory $m)))

  (core module $Main
    (import "host" "memory" (memory 3))
    (import "host" "stdin" (func $stdin (result i32)))
    (import "host" "stdout" (func $stdout (result i32)))
    (import "host" "read" (func $read (param i32 i64 i32)))
    (import "host" "write" (func $write (param i32 i32 i32 i32)))
    (import "host" "socket" (func $socket (param i32 i32)))
    (data (i32.const 1024) "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"said\":\"well 12\"}}\0a")
    (data (i32.const 2048) "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"said\":\"refused\"}}\0a")
    (func (export "run") (result i32)
      (local $in i32) (local $out i32) (local $said i32)
      (local.set $in (call $stdin))
      (local.set $out (call $stdout))
      (loop $again
        (local.set $said (i32.const 1024))
        (call $read (local.get $in) (i64.const 65536) (i32.const 16))
        (if (i32.load8_u (i32.const 16)) (then (return (i32.const 0))))
        BODY
        (call $write (local.get $out) (local.get $said) (i32.const 53) (i32.const 32))
        (br $again))
      (i32.const 0)))
  (core instance $main (instantiate $Main (with "host" (instance
    (export "memory" (memory $m))
    (export "stdin" (func $get-stdin))
    (export "stdout" (func $get-stdout))
    (export "read" (func $read))
    (export "write" (func $write))
    (export "socket" (func $create-socket))))))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance $command (export "run" (func $run)))
  (export "wasi:cli/run@0.2.3" (instance $command)))
