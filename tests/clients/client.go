// SPDX-License-Identifier: BSD-2-Clause

// Go's net/http against the demo. See run for what it has to say.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

var (
	base     = os.Args[1]
	wanted   = os.Args[2] // SHA-256 of the download
	client   = &http.Client{
		Timeout: time.Minute,
		Transport: &http.Transport{
			ExpectContinueTimeout: time.Minute,
			DisableCompression:    true,
		},
	}
)

// ask sends a request and reads all of the answer.
func ask(method, path string, body io.Reader, fields ...string) (
	*http.Response, []byte, error) {
	request, err := http.NewRequest(method, base+path, body)
	if err != nil {
		return nil, nil, err
	}
	for i := 0; i+1 < len(fields); i += 2 {
		request.Header.Set(fields[i], fields[i+1])
	}
	answer, err := client.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != 200 {
		err = fmt.Errorf("status %d", answer.StatusCode)
	}
	return answer, data, err
}

func sum(data []byte) string {
	digest := sha256.Sum256(data)
	return hex.EncodeToString(digest[:])
}

func same(got, want interface{}) error {
	if got != want {
		return fmt.Errorf("%v, and not %v", got, want)
	}
	return nil
}

func get() error {
	_, data, err := ask("GET", "/plaintext", nil)
	if err != nil {
		return err
	}
	return same(string(data), "Hello, World!")
}

func post() error {
	text := strings.Repeat("0123456789", 10000)
	_, data, err := ask("POST", "/echo", strings.NewReader(text))
	if err != nil {
		return err
	}
	return same(string(data), text)
}

// upload has the demo say the SHA-256 of what it got.
func upload(body io.Reader, data []byte, fields ...string) error {
	_, said, err := ask("POST", "/upload", body, fields...)
	if err != nil {
		return err
	}
	return same(string(said), fmt.Sprintf(
		`{"size":%d,"sha256":"%s"}`, len(data), sum(data)))
}

// chunked is a body whose size the client cannot know.
func chunked() error {
	data := bytes.Repeat([]byte("chunked "), 1<<20)
	return upload(io.MultiReader(bytes.NewReader(data)), data)
}

func head() error {
	answer, data, err := ask("HEAD", "/bytes/12345", nil)
	if err != nil {
		return err
	}
	if err := same(answer.ContentLength, int64(12345)); err != nil {
		return err
	}
	return same(len(data), 0)
}

func keepAlive() error {
	for i := 0; i < 50; i++ {
		if err := get(); err != nil {
			return err
		}
	}
	return nil
}

func expectContinue() error {
	data := bytes.Repeat([]byte("continue"), 1<<17)
	return upload(bytes.NewReader(data), data, "Expect", "100-continue")
}

func download() error {
	_, data, err := ask("GET", "/bytes/104857600", nil)
	if err != nil {
		return err
	}
	return same(sum(data), wanted)
}

func main() {
	for _, test := range []struct {
		name string
		run  func() error
	}{
		{"get", get}, {"post", post}, {"chunked", chunked},
		{"head", head}, {"keep-alive", keepAlive},
		{"continue", expectContinue}, {"download", download},
	} {
		if err := test.run(); err != nil {
			fmt.Printf("FAIL %s %v\n", test.name, err)
		} else {
			fmt.Printf("ok %s\n", test.name)
		}
	}
}
