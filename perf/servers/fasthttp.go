// SPDX-License-Identifier: BSD-2-Clause

// fasthttp: the paths of perf/README.md. Bodies are read before the handler
// is called.
package main

import (
	"flag"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"
)

const longest = 1 << 20

var (
	hello   = []byte("Hello, World!")
	message = []byte(`{"message":"Hello, World!"}`)
	filler  = []byte(strings.Repeat("x", longest))
)

// SetBodyRaw does not copy the body, which never changes.
func answer(ctx *fasthttp.RequestCtx, kind string, body []byte) {
	ctx.SetContentType(kind)
	ctx.Response.SetBodyRaw(body)
}

func bytes(ctx *fasthttp.RequestCtx, path string) {
	n, err := fasthttp.ParseUint([]byte(strings.TrimPrefix(path, "/bytes/")))
	if err != nil || n > longest {
		ctx.NotFound()
		return
	}
	answer(ctx, "application/octet-stream", filler[:n])
}

func busy(ctx *fasthttp.RequestCtx) {
	us, err := ctx.QueryArgs().GetUint("us")
	if err != nil {
		ctx.Error(err.Error(), fasthttp.StatusBadRequest)
		return
	}
	burn(time.Duration(us) * time.Microsecond)
	answer(ctx, "text/plain", hello)
}

func serve(ctx *fasthttp.RequestCtx) {
	switch path := string(ctx.Path()); path {
	case "/plaintext", "/discard":
		answer(ctx, "text/plain", hello)
	case "/json":
		answer(ctx, "application/json", message)
	case "/burn":
		busy(ctx)
	default:
		bytes(ctx, path)
	}
}

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "address")
	ends := make(chan os.Signal, 1)
	server := fasthttp.Server{
		Name:        "fasthttp",
		Handler:     serve,
		Concurrency: 20000,
	}

	flag.Parse()
	signal.Notify(ends, syscall.SIGTERM)
	go func() {
		<-ends
		os.Exit(0)
	}()
	log.Fatal(server.ListenAndServe(*listen))
}
