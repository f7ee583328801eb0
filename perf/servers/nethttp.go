// SPDX-License-Identifier: BSD-2-Clause

// Go's net/http: the paths of perf/README.md, in the plain way.
package main

import (
	"flag"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

var (
	hello   = []byte("Hello, World!")
	message = []byte(`{"message":"Hello, World!"}`)
	filler  = []byte(strings.Repeat("x", 1<<20))
)

func answer(w http.ResponseWriter, kind string, body []byte) {
	header := w.Header()
	header["Server"] = []string{"go"}
	header["Content-Type"] = []string{kind}
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.Write(body)
}

func discard(w http.ResponseWriter, req *http.Request) {
	if _, err := io.Copy(io.Discard, req.Body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer(w, "text/plain", hello)
}

func bytes(w http.ResponseWriter, req *http.Request) {
	n, err := strconv.Atoi(strings.TrimPrefix(req.URL.Path, "/bytes/"))
	if err != nil || n < 0 || n > len(filler) {
		http.NotFound(w, req)
		return
	}
	answer(w, "application/octet-stream", filler[:n])
}

func busy(w http.ResponseWriter, req *http.Request) {
	us, err := strconv.Atoi(req.URL.Query().Get("us"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	burn(time.Duration(us) * time.Microsecond)
	answer(w, "text/plain", hello)
}

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "address")
	mux := http.NewServeMux()
	ends := make(chan os.Signal, 1)

	flag.Parse()
	mux.HandleFunc("/plaintext", func(w http.ResponseWriter,
		_ *http.Request) {
		answer(w, "text/plain", hello)
	})
	mux.HandleFunc("/json", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, "application/json", message)
	})
	mux.HandleFunc("/discard", discard)
	mux.HandleFunc("/bytes/", bytes)
	mux.HandleFunc("/burn", busy)
	signal.Notify(ends, syscall.SIGTERM)
	go func() {
		<-ends
		os.Exit(0)
	}()
	log.Fatal((&http.Server{Addr: *listen, Handler: mux}).ListenAndServe())
}
